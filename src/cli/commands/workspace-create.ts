import { Option } from 'commander';
import type { Client } from '../../contract/api-client.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { withTitle } from '../report-error.ts';
import { resolveSource, whatWasFound } from '../github/resolve-source.ts';
import { connect } from '../server/connect.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { printJson, printResult } from '../terminal/print.ts';
import { suggestNextSteps } from '../workspace/next-steps.ts';
import { chooseName, createWorkspace } from '../workspace/create-workspace.ts';
import type { CreateOptions } from '../workspace/create-workspace.ts';
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
      .option('--no-fork', "do not fork somebody else's repository")
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
      fork: typed.options['fork'] !== false,
      wait: typed.options['wait'] !== false,
      json: flagOption(typed, 'json'),
    };
  },
  failure: ({ name, repository }) => `Could not create workspace ${name ?? `from ${repository}`}`,
  interrupt: 'own',
  async run(options, context) {
    const named = await findSource(options, context);
    const name = chooseName(options.name, named.name);
    await withTitle(`Could not create workspace ${name}`, async () => {
      const client = await connect(context);
      const resolved = await resolveSource(context, client, { source: named, fork: options.fork });
      const found = whatWasFound(resolved);
      if (found !== null) context.stderr.write(`${found}\n`);
      await createAndTell({ ...options, source: resolved.source, name }, { context, client });
    });
  },
});

type Wish = CreateOptions & { readonly wait: boolean; readonly json: boolean };

async function createAndTell(
  { wait, json, ...wish }: Wish,
  { context, client }: { context: CliContext; client: Client },
): Promise<void> {
  const { name } = wish;
  using progress = showProgress(context);
  const created = await createWorkspace(context, client, { ...wish, progress });
  const { workspace_id } = created;
  if (!wait) {
    const text = `${name} (${workspace_id}) is being created: nexus workspace status ${name} --watch\n`;
    printResult(context, created, { json, text: () => text });
    return;
  }
  const view = await waitUntilSettled(context, client, {
    workspace: { workspace_id, name },
    progress,
    lastEventId: 0,
  });
  progress[Symbol.dispose]();
  await refreshSshConfig(context, client);
  if (json) {
    printJson(context.stdout, view);
    return;
  }
  const { registered } = await client.call('whoAmI');
  const nextSteps = await suggestNextSteps(context, { name, registered, services: Object.values(view.services) });
  context.stdout.write(workspaceSummaryText(view, { output: context.stdout, nowMs: Date.now(), nextSteps }));
}
