import { appendFile, readFile } from 'node:fs/promises';
import { installedProgram, programFolders } from './host-programs.ts';
import type { SetupStep } from './setup-step.ts';

/** What LXD and Incus take where these files name none; newuidmap then refuses it, for it is not in the files. */
const engineRange = 'root:1000000:1000000000';
const rangeFiles = ['/etc/subuid', '/etc/subgid'];

type Options = { readonly files?: readonly string[]; readonly folders?: readonly string[] };

/** Where newuidmap is installed, containers start only with ids that root may give out (subuid(5)). */
export function userIdsStep({ files = rangeFiles, folders = programFolders }: Options = {}): SetupStep {
  async function lacking(): Promise<string[]> {
    if ((await installedProgram(['newuidmap'], folders)) === null) return [];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
    return files.filter((_, index) => !/^(root|0):\d+:\d+$/m.test(texts[index] ?? ''));
  }
  return {
    name: 'user ids',
    describe: () => 'there are user and group ids for containers',
    async check() {
      const without = await lacking();
      return without.length > 0 ? { detail: `root has no range of ids in ${without.join(' and ')}` } : null;
    },
    async apply() {
      for (const file of await lacking()) {
        const text = await readFile(file, 'utf8').catch(() => '');
        await appendFile(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${engineRange}\n`);
      }
    },
  };
}
