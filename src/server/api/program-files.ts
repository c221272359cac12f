/**
 * The programs that this server gives to others: its own, when it is the compiled program, and those that an
 * administrator put into `downloads` in the data folder. What is not there is null.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { programFileName } from '../../contract/platform.ts';
import type { Platform } from '../../contract/platform.ts';
import { createSingleFlight } from '../../lib/single-flight.ts';

export type ProgramFile = { readonly sha256: string; readonly sizeBytes: number };

export type ProgramFiles = {
  describe(platform: Platform): Promise<ProgramFile | null>;
  /** `content` must be read to its end or destroyed. */
  read(platform: Platform): Promise<(ProgramFile & { readonly content: Readable }) | null>;
};

type Options = {
  readonly dataDir: string;
  /** The compiled program that runs; null when the sources run. */
  readonly ownProgram: string | null;
  /** Of this machine, e.g. `linux-x64`. */
  readonly ownPlatform: string;
};

export function createProgramFiles({ dataDir, ownProgram, ownPlatform }: Options): ProgramFiles {
  const describeOnce = describer();

  async function openProgram(platform: Platform): Promise<FileHandle | null> {
    const own = platform === ownPlatform ? ownProgram : null;
    return (
      (own === null ? null : await openFile(own)) ??
      (await openFile(join(dataDir, 'downloads', programFileName(platform))))
    );
  }

  return {
    async describe(platform) {
      await using handle = await openProgram(platform);
      return handle === null ? null : await describeOnce(handle);
    },
    async read(platform) {
      const handle = await openProgram(platform);
      if (handle === null) return null;
      await using cleanup = new AsyncDisposableStack();
      cleanup.use(handle);
      const program = await describeOnce(handle);
      // From now on the stream closes it.
      cleanup.move();
      return { ...program, content: handle.createReadStream({ start: 0, end: program.sizeBytes - 1 }) };
    },
  };
}

async function openFile(path: string): Promise<FileHandle | null> {
  try {
    const handle = await open(path);
    const found = await handle.stat();
    if (found.isFile() && found.size > 0) return handle;
    await handle.close();
    return null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** Hashes a file once, and again only when another one, or another content, has taken its place. */
function describer(): (handle: FileHandle) => Promise<ProgramFile> {
  const known = new Map<string, ProgramFile>();
  const shared = createSingleFlight();
  return async (handle) => {
    const { dev, ino, size, mtimeMs } = await handle.stat();
    const identity = `${dev}:${ino}:${size}:${mtimeMs}`;
    return (
      known.get(identity) ??
      shared(identity, async () => {
        const program = { sha256: await sha256Of(handle), sizeBytes: size };
        known.set(identity, program);
        return program;
      })
    );
  };
}

async function sha256Of(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 20 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
