import { access } from 'node:fs/promises';

/** Where programs for root are, whatever PATH we were started with. */
export const programFolders = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/snap/bin',
] as const;

/** The first of the programs that is installed; null: none is. */
export async function installedProgram(
  names: readonly string[],
  folders: readonly string[] = programFolders,
): Promise<string | null> {
  for (const name of names) {
    for (const folder of folders) {
      const path = `${folder}/${name}`;
      const isThere = await access(path).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  return null;
}
