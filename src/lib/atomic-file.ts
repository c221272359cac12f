/** Files that are there whole or not at all, after a kill or a loss of power too. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

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

async function withWrittenCopy<T>(
  file: string,
  content: string | Buffer,
  { mode }: Options,
  putInPlace: (copy: string) => Promise<T>,
): Promise<T> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const copy = `${file}.${randomUUID()}.tmp`;
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
