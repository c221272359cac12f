import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Installation } from './installation.ts';

/** A repository with one commit in the installation's home: what a test's workspace is made of. */
export async function smallRepository(
  nexus: Installation,
  { name, files = {} }: { name: string; files?: Readonly<Record<string, string>> },
): Promise<string> {
  const folder = join(nexus.home, name);
  const git = (...args: string[]) =>
    nexus.run('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
  await mkdir(folder, { recursive: true });
  for (const [path, text] of Object.entries({ 'README.md': `# ${name}\n`, ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await nexus.run('git', ['init', '-q', '-b', 'main', folder]);
  await git('add', '--all');
  await git('commit', '-q', '-m', 'first');
  return folder;
}
