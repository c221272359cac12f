import type { Readable } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';
import type { Provider } from '../providers/provider.ts';
import { startScript } from './run-script.ts';

export type RepositoryContent = {
  readonly listing: readonly string[];
  /** The texts of the files that were chosen and are there. */
  readonly files: ReadonlyMap<string, string>;
  readonly executableHooks: readonly string[];
};

export type ReadingLimits = {
  readonly depth: number;
  readonly skippedFolders: readonly string[];
  readonly maxPaths: number;
  readonly maxFileBytes: number;
};

const timeoutMs = 30_000;
/** All that is read of a repository: the owner of the workspace can make up what our limits there would leave out. */
const maxLength = 64 * 2 ** 20;

/**
 * The listing of a workspace's repository, and the texts of those files that `choose` takes from it, over one exec.
 * Null: there is no repository.
 * @throws stream_failed, timeout
 */
export async function readRepository(
  provider: Provider,
  id: string,
  { reading, choose }: { reading: ReadingLimits; choose: (listing: readonly string[]) => readonly string[] },
): Promise<RepositoryContent | null> {
  const { depth, maxPaths, maxFileBytes, skippedFolders } = reading;
  const args = [String(depth), String(maxPaths), String(maxFileBytes + 1), ...skippedFolders];
  const handle = await startScript(provider, id, { script: 'read-config', args });
  const isLate = { yes: false };
  const deadline = setTimeout(() => {
    isLate.yes = true;
    handle.kill('SIGKILL');
  }, timeoutMs);
  try {
    handle.stderr.resume();
    const listing: string[] = [];
    const executableHooks: string[] = [];
    const files = new Map<string, string>();
    const fields = readFields(handle.stdout);
    const next = async (): Promise<string> => (await fields.next()).value ?? '';
    for await (const kind of fields) {
      if (kind === 'path') listing.push(await next());
      else if (kind === 'hook') executableHooks.push(await next());
      else if (kind === 'file') files.set(await next(), await next());
      else
        handle.stdin.end(
          choose(listing)
            .map((path) => `${path}\0`)
            .join(''),
        );
    }
    const exitCode = await handle.exitCode;
    if (isLate.yes)
      throw new NexusError('timeout', { what: `reading the repository of ${id}`, seconds: timeoutMs / 1000 });
    return exitCode === 0 ? { listing, files, executableHooks } : null;
  } catch (error) {
    handle.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** What stands before each NUL. */
async function* readFields(source: Readable): AsyncGenerator<string, void, undefined> {
  let rest = '';
  let length = 0;
  for await (const chunk of source.setEncoding('utf8')) {
    length += String(chunk).length;
    if (length > maxLength)
      throw new NexusError('stream_failed', { reason: 'the listing of the repository has no end' });
    const fields = (rest + String(chunk)).split('\0');
    rest = fields.pop() ?? '';
    yield* fields;
  }
}
