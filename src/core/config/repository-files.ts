/**
 * What must be known of a repository to say what a workspace of it has: a listing of its paths, and the text of a few
 * files. Whoever reads them (the agent in the workspace, the CLI in a folder) keeps to these limits.
 */
import { posix } from 'node:path';
import { repositoryConfigPath } from '../../contract/repository-config.ts';
import { maxYamlBytes } from './read-yaml.ts';

export const repositoryReading = {
  /** `a/b/c` is of depth 3. */
  depth: 3,
  /** Left out of the listing with all that is in them. */
  skippedFolders: ['.git', 'node_modules', '.venv', 'venv', 'vendor', 'target', 'dist', 'build'],
  maxPaths: 5_000,
  /** A file is read up to one byte more than this, so that a longer one is noticed. */
  maxFileBytes: maxYamlBytes,
  maxFiles: 100,
} as const;

/** Read wherever they are in the listing, for a folder of the repository may be a project of its own. */
const readNames: readonly RegExp[] = [
  /^(?:package\.json|Procfile|pyproject\.toml|requirements\.txt|go\.mod|\.yarnrc\.yml|pnpm-workspace\.yaml)$/,
  /^(?:index|server|app|main)\.(?:js|mjs|cjs|ts)$/,
  /^(?:app|main|wsgi|asgi|server|manage|__init__)\.py$/,
  /^main\.go$/,
];

/**
 * The files to read, from the listing (paths relative to the repository, `/` between folders, no `./`): the nearest
 * to the root first, at most `maxFiles`. A path that is not there is not an error.
 */
export function repositoryFiles(listing: readonly string[]): readonly string[] {
  const wanted = listing
    .filter((path) => path !== repositoryConfigPath && readNames.some((pattern) => pattern.test(posix.basename(path))))
    .sort((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1));
  return [repositoryConfigPath, ...wanted].slice(0, repositoryReading.maxFiles);
}

function depthOf(path: string): number {
  return path.split('/').length;
}
