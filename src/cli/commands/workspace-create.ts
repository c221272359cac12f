import { Option } from 'commander';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { printJson } from '../terminal/print.ts';
import { suggestNextSteps } from '../workspace/next-steps.ts';
import { createWorkspace } from '../workspace/create-workspace.ts';
import { showProgress, waitUntilSettled } from '../workspace/wait-for-workspace.ts';
import { findSource } from '../workspace/workspace-source.ts';
import { workspaceSummaryText } from '../workspace/workspace-text.ts';

const providers = ['lxc', 'docker', 'qemu'] as const;

export const workspaceCreate = defineCommand({
  description: 'Makes a workspace from a repository and waits until its services are healthy.',
  examples: [
    'nexus workspace create alice/my-project',
    'nexus workspace create https://github.com/alice/my-project/pull/12',
    'nexus workspace create git@example.com:team/tool.git --branch next --name tool-next',
    'nexus workspace create . --include-changes',
  ],
  configure(command) {
    command
      .argument('<repo>', 'owner/name, a GitHub URL (of a branch or a pull request too), any git URL, or a folder')
      .option('--name <name>', "the workspace's name (default: the repository's)")
      .option('--branch <branch>', 'a branch, a tag or a commit')
      .addOption(new Option('--provider <provider>', 'what it runs on').choices(providers))
      .option('--image <image>', 'the image, e.g. debian:12')
      .option('--include-changes', 'take the uncommitted changes of a folder along')
      .option('--no-wait', 'do not wait until it runs')
      .option(...jsonOption);
  },
  parse(typed) {
    const [repository = '', ...more] = typed.operands;
    if (more.length > 0 || typed.afterDashes) throw usageError('Only one repository is taken.');
    return {
      repository,
      name: textOption(typed, 'name'),
      branch: textOption(typed, 'branch'),
      provider: providers.find((provider) => provider === typed.options['provider']),
      image: textOption(typed, 'image'),
      includeChanges: flagOption(typed, 'includeChanges'),
      wait: typed.options['wait'] !== false,
      json: flagOption(typed, 'json'),
    };
  },
  failure: ({ name, repository }) => `Could not create workspace ${name ?? `from ${repository}`}`,
  interrupt: 'own',
  async run(options, context) {
    const source = await findSource(options, context);
    const client = await connect(context);
    using progress = showProgress(context);
    const created = await createWorkspace(context, client, { ...options, source, progress });
    if (!options.wait) {
      const { name, ...answer } = created;
      if (options.json) printJson(context.stdout, answer);
      else
        context.stdout.write(
          `${name} (${answer.workspace_id}) is being created: nexus workspace status ${name} --watch\n`,
        );
      return;
    }
    const view = await waitUntilSettled(context, client, { workspace: created, progress, lastEventId: 0 });
    progress[Symbol.dispose]();
    await refreshSshConfig(context, client);
    if (options.json) {
      printJson(context.stdout, view);
      return;
    }
    const { registered } = await client.call('whoAmI');
    const nextSteps = await suggestNextSteps(context, { name: view.name, registered });
    context.stdout.write(workspaceSummaryText(view, { output: context.stdout, nowMs: Date.now(), nextSteps }));
  },
});
