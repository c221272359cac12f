/** Files that are there whole or not at all, after a kill or a loss of power too. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isProcessAlive } from './process-alive.ts';

type Options = { readonly mode: number };

/** Replaces the file, or makes it (and its folder). */
export async function writeFileAtomic(file: string, content: string | Buffer, options: Options): Promise<void> {
  await withWrittenCopy(file, content, options, (copy) => rename(copy, file));
}

/** Makes the file (and its folder) unless it is there: then it stays as it is. Returns whether it was made. */
export async function createFileOnce(file: string, content: string | Buffer, options: Options): Promise<boolean> {
  return withWrittenCopy(file, content, options, (copy) =>
    link(copy, file).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    ),
  );
}

const copyName = /\.(\d+)\.[0-9a-f-]{36}\.tmp$/;

/** Removes what processes that were killed in the middle of a write left in this folder. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const writer = Number(copyName.exec(name)?.[1] ?? 0);
    const copy = join(folder, name);
    if (writer === 0) continue;
    const isAbandoned = writer === process.pid ? await isOlder(copy) : !isProcessAlive(writer);
    if (isAbandoned) await rm(copy, { force: true });
  }
}

/** Whether it was there before this process: then another wrote it that had the same id. */
async function isOlder(file: string): Promise<boolean> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs < performance.timeOrigin,
    () => false,
  );
}

async function withWrittenCopy<T>(
  file: string,
  content: string | Buffer,
  { mode }: Options,
  putInPlace: (copy: string) => Promise<T>,
): Promise<T> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const copy = `${file}.${process.pid}.${randomUUID()}.tmp`;
  try {
    const handle = await open(copy, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const result = await putInPlace(copy);
    await syncFolder(folder);
    return result;
  } finally {
    await rm(copy, { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
