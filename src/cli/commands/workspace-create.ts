import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { failure, usageError } from '../cli-error.ts';
import { cloneOption, defineCommand, flagOption, jsonOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { connectEditor, editorResult, openWindow } from '../editor/connect-editor.ts';
import { chooseEditor } from '../editor/find-editors.ts';
import type { FoundEditor } from '../editor/find-editors.ts';
import { editorWish } from '../editor/open-workspace.ts';
import { findCloneTarget } from '../git/clone-target.ts';
import type { CloneTarget } from '../git/clone-target.ts';
import { withTitle } from '../report-error.ts';
import { resolveSource, whatWasFound } from '../github/resolve-source.ts';
import type { ResolvedSource } from '../github/resolve-source.ts';
import { parseSourceOptions, providerOption } from '../repository/source-options.ts';
import { connect } from '../server/connect.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { shellQuote } from '../terminal/format.ts';
import { printJson, printResult } from '../terminal/print.ts';
import { bothOf, cloneHere } from '../workspace/clone-here.ts';
import type { LocalClone } from '../workspace/clone-here.ts';
import { suggestNextSteps } from '../workspace/next-steps.ts';
import { chooseName, createWorkspace } from '../workspace/create-workspace.ts';
import type { CreateOptions } from '../workspace/create-workspace.ts';
import { showProgress, waitUntilSettled } from '../workspace/wait-for-workspace.ts';
import { findSource } from '../workspace/workspace-source.ts';
import { workspaceSummaryText } from '../workspace/workspace-text.ts';

export const workspaceCreate = defineCommand({
  description: 'Makes a workspace from a repository and waits until its services are healthy.',
  examples: [
    'nexus workspace create alice/my-project',
    'nexus workspace create https://github.com/alice/my-project/pull/12',
    'nexus workspace create git@example.com:team/tool.git --branch next --name tool-next',
    'nexus workspace create . --include-changes',
    'nexus workspace create alice/my-project --clone ~/src/my-project --connect',
  ],
  configure(command) {
    command
      .argument('<repo>', 'owner/name, a GitHub URL (of a branch or a pull request too), any git URL, or a folder')
      .option('--name <name>', "the workspace's name (default: the repository's)")
      .option('--branch <branch>', 'a branch, a tag or a commit')
      .addOption(providerOption())
      .option('--image <image>', 'the image, e.g. debian:12')
      .option('--no-fork', "do not fork somebody else's repository")
      .option('--include-changes', 'take the uncommitted changes of a folder along')
      .option(...cloneOption)
      .option('--connect', 'open your editor on it at the end')
      .option('--no-wait', 'do not wait until it runs')
      .option(...jsonOption);
  },
  parse(typed) {
    const source = parseSourceOptions(typed);
    const [wait, connects] = [typed.options['wait'] !== false, flagOption(typed, 'connect')];
    if (connects && !wait) throw usageError('--connect waits until it runs, so it cannot be with --no-wait.');
    return {
      ...source,
      repository: typed.operands[0] ?? '',
      wait,
      connects,
      json: flagOption(typed, 'json'),
    };
  },
  failure: ({ name, repository }) => `Could not create workspace ${name ?? `from ${repository}`}`,
  interrupt: 'own',
  async run(options, context) {
    const named = await findSource(options, context);
    const name = chooseName(options.name, named.name);
    return withTitle(`Could not create workspace ${name}`, async () => {
      // What can be known to be wrong is said before anything is made.
      const target =
        options.clone === undefined
          ? null
          : await findCloneTarget(
              options.clone,
              {
                repositoryName: named.repo.name,
                isLocal: named.local !== null,
                command: `nexus workspace create ${shellQuote(options.repository)}`,
              },
              context,
            );
      const editor = options.connects ? await chooseEditor(context.env, await editorWish(context, undefined)) : null;
      const client = await connect(context);
      if (options.connects) await assertRegistered(client);
      const resolved = await resolveSource(context, client, {
        source: named,
        fork: options.fork,
        clone: target,
        onProgress: (text) => context.stderr.write(`${text}\n`),
      });
      const found = whatWasFound(resolved);
      if (found !== null) context.stderr.write(`${found}\n`);
      return createAndTell(
        { ...options, source: resolved.source, name, target, resolved, editor },
        { context, client },
      );
    });
  },
});

async function assertRegistered(client: Client): Promise<void> {
  const { registered } = await client.call('whoAmI');
  if (!registered) throw failure('No SSH key of yours is registered.', { next: 'nexus ssh setup' });
}

type Wish = CreateOptions & {
  readonly wait: boolean;
  readonly json: boolean;
  readonly connects: boolean;
  readonly editor: FoundEditor | null;
  readonly target: CloneTarget | null;
  readonly resolved: ResolvedSource;
};
type Place = { readonly context: CliContext; readonly client: Client };

async function createAndTell(wish: Wish, { context, client }: Place): Promise<number | void> {
  const { name, json, wait } = wish;
  using progress = showProgress(context);
  const created = await createWorkspace(context, client, { ...wish, progress });
  const { workspace_id } = created;
  const cloning = cloneHere(context, { ...wish, progress, workspace: name });
  if (!wait) {
    const clone = await cloning;
    progress[Symbol.dispose]();
    const text = `${name} (${workspace_id}) is being created: nexus workspace status ${name} --watch\n`;
    printResult(context, { ...created, ...asResult(clone) }, { json, text: () => `${cloneText(clone)}${text}` });
    return;
  }
  const waiting = waitUntilSettled(context, client, { workspace: { workspace_id, name }, progress, lastEventId: 0 });
  const [view, clone] = await bothOf(waiting, cloning);
  progress[Symbol.dispose]();
  await refreshSshConfig(context, client);
  return tellAndConnect({ ...wish, view, clone }, { context, client });
}

async function tellAndConnect(
  { name, json, connects, editor, view, clone }: Wish & { view: WorkspaceView; clone: LocalClone | null },
  { context, client }: Place,
): Promise<number | void> {
  const { stdout } = context;
  if (json) {
    const opened = connects && (await openWindow(context, client, { workspace: view, found: editor }));
    const ofEditor = connects ? editorResult(view, { found: editor, opened }) : {};
    printJson(stdout, { ...view, ...asResult(clone), ...ofEditor });
    return;
  }
  const { registered } = await client.call('whoAmI');
  const nextSteps = await suggestNextSteps(context, { name, registered, services: Object.values(view.services) });
  stdout.write(cloneText(clone));
  stdout.write(workspaceSummaryText(view, { output: stdout, nowMs: Date.now(), nextSteps }));
  if (connects) return connectEditor(context, client, { workspace: view, found: editor, print: false, json });
}

function asResult(clone: LocalClone | null): { clone?: LocalClone } {
  return clone === null ? {} : { clone };
}

function cloneText(clone: LocalClone | null): string {
  if (clone === null) return '';
  return clone.is_new ? `It is cloned to ${clone.path}.\n` : `Your clone in ${clone.path} is kept as it is.\n`;
}
