/** `nexus up`: every step from a repository's name to an open editor; what is done already is skipped. */
import { ServerUnreachable } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import type { SignInView } from '../../contract/sign-in.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { chooseEditor } from '../editor/find-editors.ts';
import { openWindow } from '../editor/connect-editor.ts';
import { editorWish, untilRunning } from '../editor/open-workspace.ts';
import { findCloneTarget } from '../git/clone-target.ts';
import type { CloneTarget } from '../git/clone-target.ts';
import { canonicalRepository, workspaceSlug } from '../git/repository-reference.ts';
import { resolveSource, whatWasFound } from '../github/resolve-source.ts';
import type { ResolvedSource } from '../github/resolve-source.ts';
import { githubOf } from '../github/github-host.ts';
import { signIn } from '../github/sign-in.ts';
import { withTitle } from '../report-error.ts';
import { connect, connectWithout, isServerNamed } from '../server/connect.ts';
import { usesRegisteredKey } from '../ssh/registered-key.ts';
import { setUpSshKey } from '../ssh/set-up-key.ts';
import { bothOf, cloneHere } from '../workspace/clone-here.ts';
import type { LocalClone } from '../workspace/clone-here.ts';
import { shellQuote } from '../terminal/format.ts';
import { chooseName, createWorkspace } from '../workspace/create-workspace.ts';
import { listOwnWorkspaces } from '../workspace/resolve-workspace.ts';
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
  using progress = showProgress(context);
  await signInWhereNeeded(context, { ...options, progress });
  const client = await connect(context);
  await registerOnce(context, client, { options, progress });

  const made = await makeWorkspace(context, client, { ...options, source: named, target, progress });
  const { view } = made;
  const title = found?.editor.place === 'window' ? `Open ${found.editor.title} over SSH` : 'Try SSH';
  const opened = await tellAfter(progress, { title, detail: () => null }, () =>
    withTitle(`Could not open ${view.name}`, () => openWindow(context, client, { workspace: view, found })),
  );
  return { ...made, found, opened };
}

/** A step in the list of all; the person may be asked something meanwhile, so it is shown when it has ended. */
async function tellAfter<T>(
  progress: Progress,
  { title, detail }: { title: string; detail: (result: T) => string | null },
  work: () => Promise<T>,
): Promise<T> {
  const startedMs = Date.now();
  try {
    const result = await work();
    progress.steps.tell({ title, startedMs, state: 'done', detail: detail(result) });
    return result;
  } catch (error) {
    progress.steps.tell({ title, startedMs, state: 'failed', detail: null });
    throw error;
  } finally {
    progress.update();
  }
}

async function cloneTarget(
  context: CliContext,
  { clone, repository }: UpOptions,
  { repo, local }: WorkspaceSource,
): Promise<CloneTarget | null> {
  if (clone === undefined) return null;
  const command = `nexus up ${shellQuote(repository)}`;
  return findCloneTarget(clone, { repositoryName: repo.name, isLocal: local !== null, command }, context);
}

/** The first that is asked of the server. */
async function askHowToSignIn(context: CliContext, repository: string): Promise<SignInView> {
  try {
    return await (await connectWithout(context)).call('getSignIn');
  } catch (error) {
    if (!(error instanceof ServerUnreachable) || (await isServerNamed(context))) throw error;
    throw new CliError('No server is named, and none runs on this machine.', {
      exitCode: exitCodes.serverUnreachable,
      next: `nexus up ${shellQuote(repository)} --server HOST (who runs it knows its name; nexus server start makes this machine one)`,
      cause: error,
    });
  }
}

async function signInWhereNeeded(
  context: CliContext,
  { repository, progress }: { repository: string; progress: Progress },
): Promise<void> {
  const info = await askHowToSignIn(context, repository);
  if (info.mode !== 'github' || context.env['NEXUS_TOKEN']) return;
  const host = githubOf(info);
  const onWait = (): void => context.stderr.write(`Waiting for ${host.name}, which does not answer yet\n`);
  const step = { title: 'Sign in to GitHub', detail: ({ login }: { login: string }) => login };
  await tellAfter(progress, step, () =>
    withTitle('Could not sign in to GitHub', () => signIn(context, host, { force: false, onWait })),
  );
}

async function registerOnce(
  context: CliContext,
  client: Client,
  { options, progress }: { options: UpOptions; progress: Progress },
): Promise<void> {
  const title = 'Could not set up your SSH key';
  const isDone = await withTitle(title, async () => {
    const { registered, github_username } = await client.call('whoAmI');
    return registered && usesRegisteredKey(context, client, github_username);
  });
  if (isDone) return;
  const wish = { keyPath: undefined, generate: false, yes: options.yes };
  const step = { title: 'Set up your SSH key', detail: ({ key }: { key: { path: string } }) => key.path };
  await tellAfter(progress, step, () => withTitle(title, () => setUpSshKey(context, client, wish)));
}

type Wish = UpOptions & {
  readonly source: WorkspaceSource;
  readonly target: CloneTarget | null;
  readonly progress: Progress;
};
type Made = Pick<UpResult, 'source' | 'view' | 'clone'>;

async function makeWorkspace(context: CliContext, client: Client, wish: Wish): Promise<Made> {
  const { progress } = wish;
  const resolved = await findRepository(context, client, { wish, progress });
  const { source } = resolved;
  const name = chooseName(wish.name, source.name);
  const clone = (): Promise<LocalClone | null> =>
    cloneHere(context, { target: wish.target, resolved, progress, workspace: name });
  return withTitle(`Could not create workspace ${name}`, async () => {
    const existing = await findExisting(client, name);
    if (existing !== null) {
      assertSame(existing, wish, source);
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

/** Another repository or branch is not opened in place of the one that was asked for; that of a folder is only there. */
function assertSame({ name, status, repository }: WorkspaceView, wish: Wish, { repo, local }: WorkspaceSource): void {
  const wanted = local === null || wish.branch !== undefined ? repo.branch : undefined;
  const { owner, branch, url } = repository;
  const isSameRepository =
    (owner === repo.owner && repository.name === repo.name) ||
    (repo.url !== undefined && canonicalRepository(url) === canonicalRepository(repo.url));
  if (isSameRepository && (wanted === undefined || branch === null || branch === wanted)) return;
  const [is, asked] = isSameRepository
    ? [branch, wanted]
    : [`${owner}/${repository.name}`, `${repo.owner}/${repo.name}`];
  const other = workspaceSlug(`${name}-${wanted?.replace(pullRef, 'pull-$1') ?? repo.owner}`);
  const flags = `${wish.branch === undefined ? '' : ` --branch ${shellQuote(wish.branch)}`}${wish.fork ? '' : ' --no-fork'}`;
  const again = `nexus up ${shellQuote(wish.repository)}${flags} --name`;
  throw new CliError(`The workspace ${name} is of ${is}, not of ${asked}.`, {
    exitCode: exitCodes.conflict,
    next: status === 'error' ? `nexus workspace delete ${name} && ${again} ${name}` : `${again} ${other}`,
  });
}

const pullRef = /^refs\/pull\/(\d+)\/head$/;

async function findRepository(
  context: CliContext,
  client: Client,
  { wish, progress }: { wish: Wish; progress: Progress },
): Promise<ResolvedSource> {
  const key = 'repository';
  if (wish.source.local === null) progress.steps.begin(key, 'Find the repository');
  progress.update();
  try {
    const resolved = await resolveSource(context, client, {
      ...wish,
      clone: wish.target,
      onProgress: (text) => progress.steps.detail(key, text),
    });
    progress.steps.end(key, 'done', whatWasFound(resolved) ?? undefined);
    return resolved;
  } catch (error) {
    progress.steps.end(key, 'failed');
    throw error;
  } finally {
    progress.update();
  }
}

async function findExisting(client: Client, name: string): Promise<WorkspaceView | null> {
  const summary = (await listOwnWorkspaces(client)).find((one) => one.name === name);
  if (summary === undefined) return null;
  const view = await client.call('getWorkspace', { params: { id: summary.workspace_id } });
  return view.status === 'deleting' ? null : view;
}
