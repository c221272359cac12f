import { repositoryFiles, repositoryReading } from '../../core/config/repository-files.ts';
import { runGit } from './run-git.ts';
import type { LocalRepository } from './local-repository.ts';

export type RepositoryContents = {
  readonly files: ReadonlyMap<string, string>;
  readonly listing: readonly string[];
};

/** What the configuration is read from, as it is in a commit (or tree) of the repository, below its folder. */
export async function readCommittedFiles(repository: LocalRepository): Promise<RepositoryContents> {
  const tree =
    repository.prefix === '' ? repository.head : `${repository.head}:${repository.prefix.replace(/\/$/, '')}`;
  const { stdout } = await runGit(repository.topLevel, ['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree]);
  const listing = stdout.split('\0').filter(isListed).slice(0, repositoryReading.maxPaths);
  const present = new Set(listing);
  const files = new Map<string, string>();
  for (const path of repositoryFiles(listing)) {
    if (!present.has(path)) continue;
    const { exitCode, stdout: text } = await runGit(repository.topLevel, [
      'show',
      `${repository.head}:${repository.prefix}${path}`,
    ]);
    if (exitCode === 0) files.set(path, text.slice(0, repositoryReading.maxFileBytes + 1));
  }
  return { files, listing };
}

function isListed(path: string): boolean {
  if (path === '') return false;
  const parts = path.split('/');
  const skipped: readonly string[] = repositoryReading.skippedFolders;
  return parts.length <= repositoryReading.depth && !parts.slice(0, -1).some((part) => skipped.includes(part));
}
