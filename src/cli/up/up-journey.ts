/** `nexus up`: every step from a repository's name to an open editor; what is done already is skipped. */
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { chooseEditor } from '../editor/find-editors.ts';
import { openWindow } from '../editor/connect-editor.ts';
import { editorWish, untilRunning } from '../editor/open-workspace.ts';
import { findCloneTarget } from '../git/clone-target.ts';
import type { CloneTarget } from '../git/clone-target.ts';
import { canonicalRepository } from '../git/repository-reference.ts';
import { resolveSource, whatWasFound } from '../github/resolve-source.ts';
import type { ResolvedSource } from '../github/resolve-source.ts';
import { githubOf } from '../github/github-host.ts';
import { signIn } from '../github/sign-in.ts';
import { withTitle } from '../report-error.ts';
import { connect, connectWithout } from '../server/connect.ts';
import { usesRegisteredKey } from '../ssh/registered-key.ts';
import { setUpSshKey } from '../ssh/set-up-key.ts';
import { bothOf, cloneHere } from '../workspace/clone-here.ts';
import type { LocalClone } from '../workspace/clone-here.ts';
import { chooseName, createWorkspace } from '../workspace/create-workspace.ts';
import { listAllWorkspaces } from '../workspace/resolve-workspace.ts';
import { showProgress, waitUntilSettled } from '../workspace/wait-for-workspace.ts';
import type { Progress } from '../workspace/wait-for-workspace.ts';
import { findSource } from '../workspace/workspace-source.ts';
import type { SourceOptions, WorkspaceSource } from '../workspace/workspace-source.ts';
import type { UpResult } from './up-summary.ts';

export type UpOptions = SourceOptions & {
  readonly name: string | undefined;
  readonly image: string | undefined;
  readonly includeChanges: boolean;
  readonly fork: boolean;
  /** Where it is cloned to on this machine; true: to a folder of its name. */
  readonly clone: string | true | undefined;
  /** False: no editor is opened. */
  readonly open: boolean;
  readonly editor: string | undefined;
  readonly yes: boolean;
};

export async function goUp(context: CliContext, options: UpOptions): Promise<UpResult> {
  // What can be known to be wrong is said before anything is done.
  const found = options.open ? await chooseEditor(context.env, await editorWish(context, options.editor)) : null;
  const named = await findSource(options, context);
  const target = await cloneTarget(context, options, named);
  await signInWhereNeeded(context);
  const client = await connect(context);
  await withTitle('Could not set up your SSH key', () => registerOnce(context, client, options));

  const made = await makeWorkspace(context, client, { ...options, source: named, target });
  const { view } = made;
  const opened = await withTitle(`Could not open ${view.name}`, () =>
    openWindow(context, client, { workspace: view, found }),
  );
  return { ...made, found, opened };
}

async function cloneTarget(
  context: CliContext,
  { clone }: UpOptions,
  { repo, local }: WorkspaceSource,
): Promise<CloneTarget | null> {
  if (clone === undefined) return null;
  return findCloneTarget(clone, { repositoryName: repo.name, isLocal: local !== null }, context);
}

async function signInWhereNeeded(context: CliContext): Promise<void> {
  const info = await (await connectWithout(context)).call('getSignIn');
  if (info.mode !== 'github' || context.env['NEXUS_TOKEN']) return;
  await withTitle('Could not sign in to GitHub', () => signIn(context, githubOf(info), { force: false }));
}

async function registerOnce(context: CliContext, client: Client, { yes }: UpOptions): Promise<void> {
  const { registered, github_username } = await client.call('whoAmI');
  if (registered && (await usesRegisteredKey(context, client, github_username))) return;
  await setUpSshKey(context, client, { keyPath: undefined, generate: false, yes });
}

type Wish = UpOptions & { readonly source: WorkspaceSource; readonly target: CloneTarget | null };
type Made = Pick<UpResult, 'source' | 'view' | 'clone'>;

async function makeWorkspace(context: CliContext, client: Client, wish: Wish): Promise<Made> {
  using progress = showProgress(context);
  const resolved = await findRepository(context, client, { wish, progress });
  const { source } = resolved;
  const name = chooseName(wish.name, source.name);
  const clone = (): Promise<LocalClone | null> => cloneHere(context, { target: wish.target, resolved, progress });
  return withTitle(`Could not create workspace ${name}`, async () => {
    const existing = await findExisting(client, name, source);
    if (existing !== null) {
      const cloned = await clone();
      progress[Symbol.dispose]();
      return { source, view: await untilRunning(context, client, existing), clone: cloned };
    }
    const { workspace_id } = await createWorkspace(context, client, { ...wish, source, name, progress });
    const workspace = { workspace_id, name };
    const waiting = waitUntilSettled(context, client, { workspace, progress, lastEventId: 0 });
    const [view, cloned] = await bothOf(waiting, clone());
    return { source, view, clone: cloned };
  });
}

async function findRepository(
  context: CliContext,
  client: Client,
  { wish, progress }: { wish: Wish; progress: Progress },
): Promise<ResolvedSource> {
  const key = 'repository';
  if (wish.source.local === null) progress.steps.begin(key, 'Find the repository');
  progress.update();
  try {
    const resolved = await resolveSource(context, client, { ...wish, clone: wish.target });
    progress.steps.end(key, 'done', whatWasFound(resolved) ?? undefined);
    return resolved;
  } catch (error) {
    progress.steps.end(key, 'failed');
    throw error;
  } finally {
    progress.update();
  }
}

/** The workspace of this name, when it is of this repository; creating says what is wrong with one of another. */
async function findExisting(client: Client, name: string, source: WorkspaceSource): Promise<WorkspaceView | null> {
  const summary = (await listAllWorkspaces(client)).find((one) => one.name === name);
  if (summary === undefined) return null;
  const view = await client.call('getWorkspace', { params: { id: summary.workspace_id } });
  const { owner, name: repository, url } = source.repo;
  const isSame =
    (view.repository.owner === owner && view.repository.name === repository) ||
    (url !== undefined && canonicalRepository(view.repository.url) === canonicalRepository(url));
  return isSame && view.status !== 'deleting' ? view : null;
}
