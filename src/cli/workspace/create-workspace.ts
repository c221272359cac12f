import { randomUUID } from 'node:crypto';
import type { Client, ResponseOf } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import { workspaceName } from '../../contract/ids.ts';
import type { CreateWorkspaceInput } from '../../contract/workspace.ts';
import { failure, interrupted, usageError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { createBundle } from '../git/bundle.ts';
import type { Bundle } from '../git/bundle.ts';
import { workspaceSlug } from '../git/repository-reference.ts';
import type { LocalRepository } from '../git/local-repository.ts';
import { formatBytes, plural, shellQuote } from '../terminal/format.ts';
import { persist } from './follow-events.ts';
import { uploadSource } from './upload-source.ts';
import type { Progress } from './wait-for-workspace.ts';
import type { WorkspaceSource } from './workspace-source.ts';

export type CreateOptions = {
  readonly source: WorkspaceSource;
  readonly name: string;
  readonly image: string | undefined;
  readonly includeChanges: boolean;
};

export type CreateAnswer = ResponseOf<'createWorkspace'>;

/**
 * The name that was given, else one made of the repository's.
 * @throws CliError of wrong use when it is no name
 */
export function chooseName(given: string | undefined, repository: string): string {
  const name = given ?? workspaceSlug(repository);
  const checked = workspaceName.safeParse(name);
  if (checked.success) return name;
  const subject = given === undefined ? `No name can be made of ${repository}: it` : `The name ${given}`;
  throw usageError(`${subject} ${checked.error.issues[0]?.message}.`, {
    next: `nexus workspace create REPO --name ${workspaceSlug(name) || 'my-project'}`,
  });
}

/** Creates it at the server and sends the repository when it is a local one. It is not waited for. */
export async function createWorkspace(
  context: CliContext,
  client: Client,
  options: CreateOptions & { progress: Progress },
): Promise<CreateAnswer> {
  const { source, progress, name } = options;
  if (options.includeChanges) checkChangesAreHere(source.local);
  const body: CreateWorkspaceInput = {
    workspace_name: name,
    repo: source.repo,
    ...source.wishes,
    ...(options.image === undefined ? {} : { image: options.image }),
  };
  if (source.local === null) return requestWorkspace(client, body);

  tellWhatStays(context, source.local, { includeChanges: options.includeChanges });
  await using bundle = await createBundle(source.local, { includeChanges: options.includeChanges });
  const created = await requestWorkspace(client, body);
  await sendBundle(context, client, { created: { ...created, name }, local: source.local, bundle, progress });
  return created;
}

function requestWorkspace(client: Client, body: CreateWorkspaceInput): Promise<CreateAnswer> {
  // The key makes a repeat after a lost answer give the same workspace.
  return client.call('createWorkspace', { body, headers: { 'idempotency-key': randomUUID() } });
}

/** @throws CliError of wrong use, where no changes could be taken along */
function checkChangesAreHere(local: LocalRepository | null): void {
  if (local === null) throw usageError('--include-changes takes those of a folder on this machine along.', createHelp);
  if (!local.isCheckedOut)
    throw usageError('--include-changes takes those of what is checked out along, and another commit was asked for.', {
      next: `git -C ${shellQuote(local.folder)} status`,
    });
}

const createHelp = { next: 'nexus workspace create . --include-changes' };
const namedChanges = 5;

function tellWhatStays({ stderr }: CliContext, local: LocalRepository, options: { includeChanges: boolean }): void {
  if (local.changedFiles.length > 0 && !options.includeChanges) stderr.write(`! ${whatStays(local.changedFiles)}\n`);
  if (local.isShallow)
    stderr.write(
      '! This is a shallow clone: it goes in as one commit, without its history (git fetch --unshallow gets it)\n',
    );
}

function whatStays(files: readonly string[]): string {
  const [count, verb] = [plural(files.length, 'file'), files.length === 1 ? 'stays' : 'stay'];
  const more = files.length > namedChanges ? ', …' : '';
  const names = files.slice(0, namedChanges).map(onOneLine).join(', ');
  return `${count} with uncommitted changes ${verb} here (${names}${more}); --include-changes takes them along`;
}

/** A name of a file may hold what would move a terminal's cursor. */
function onOneLine(path: string): string {
  return path.replaceAll(/\p{Cc}/gu, '?');
}

type SendOptions = {
  readonly created: { readonly workspace_id: string; readonly name: string };
  readonly local: LocalRepository;
  readonly bundle: Bundle;
  readonly progress: Progress;
};

/** What a node clones itself may be of any size. */
function tooLarge(error: NexusError<'payload_too_large'>, { local, bundle }: SendOptions): Error {
  const limit = formatBytes(error.details.limit_bytes);
  return failure(
    `The repository is ${formatBytes(bundle.sizeBytes)}, and this server takes ${limit} (limits.upload).`,
    {
      next:
        local.originUrl === null
          ? `git -C ${shellQuote(local.folder)} count-objects -vH`
          : `nexus workspace create ${shellQuote(local.originUrl)}`,
      cause: error,
    },
  );
}

async function sendBundle(context: CliContext, client: Client, options: SendOptions): Promise<void> {
  const { created, bundle, progress } = options;
  const { steps } = progress;
  const signal = context.interrupt;
  const key = 'upload';
  steps.begin(key, `Send the repository (${formatBytes(bundle.sizeBytes)})`);
  progress.update();
  const onSent = (bytes: number): void =>
    steps.detail(key, `${Math.floor((100 * bytes) / Math.max(1, bundle.sizeBytes))} %`);
  try {
    await persist(() => uploadSource(client, { workspaceId: created.workspace_id, bundle, signal, onSent }), {
      signal,
    });
    steps.end(key, 'done');
  } catch (error) {
    steps.end(key, 'failed');
    // Without its repository it would wait for ever, and keep its name from the next try.
    await client
      .call('deleteWorkspace', { params: { id: created.workspace_id }, query: { force: true } })
      .catch(() => undefined);
    if (signal.aborted) throw interrupted(`${created.name} was not created: its repository was not sent yet.`);
    throw error instanceof NexusError && error.code === 'payload_too_large'
      ? tooLarge(error as NexusError<'payload_too_large'>, options)
      : error;
  } finally {
    progress.update();
  }
}
