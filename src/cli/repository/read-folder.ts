import { access, constants, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryFiles, repositoryReading } from '../../core/config/repository-files.ts';

export type FolderContents = {
  readonly files: ReadonlyMap<string, string>;
  /** Paths below the folder, `/` between their parts. */
  readonly listing: readonly string[];
  readonly executableHooks: readonly string[];
};

const hooksFolder = '.nexus/hooks/';

/** What the configuration is read from, as it is in a folder of this machine now. */
export async function readFolder(folder: string): Promise<FolderContents> {
  const listing = await listFolder(folder, '');
  const present = new Set(listing);
  const files = new Map<string, string>();
  for (const path of repositoryFiles(listing)) {
    if (present.has(path)) files.set(path, await readBeginning(join(folder, path)));
  }
  const hooks = listing.filter((path) => path.startsWith(hooksFolder));
  const executable = await Promise.all(hooks.map((path) => isExecutable(join(folder, path))));
  return { files, listing, executableHooks: hooks.filter((_, index) => executable[index]) };
}

async function listFolder(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const skipped: readonly string[] = repositoryReading.skippedFolders;
  const paths: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile()) paths.push(path);
    const isDeepEnough = path.split('/').length >= repositoryReading.depth;
    if (entry.isDirectory() && !isDeepEnough && !skipped.includes(entry.name))
      paths.push(...(await listFolder(folder, path)));
  }
  return paths.slice(0, repositoryReading.maxPaths);
}

async function readBeginning(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(repositoryReading.maxFileBytes + 1));
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
