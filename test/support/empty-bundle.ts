import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installation } from './installation.ts';

/** A git bundle with one empty commit. */
export async function emptyBundle(nexus: Installation): Promise<Uint8Array<ArrayBuffer>> {
  const folder = join(nexus.home, `repository-${randomBytes(4).toString('hex')}`);
  const git = async (...args: string[]): Promise<void> => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    const { exitCode, stderr } = await nexus.run('git', [...identity, ...args]);
    if (exitCode !== 0) throw new Error(stderr);
  };
  await git('init', '--quiet', '--initial-branch=main', folder);
  await git('-C', folder, 'commit', '--quiet', '--allow-empty', '--message=first');
  await git('-C', folder, 'bundle', 'create', '--quiet', 'source.bundle', 'HEAD', 'main');
  return new Uint8Array(await readFile(join(folder, 'source.bundle')));
}
