/** What a workspace is made of: a repository that the node clones, or a folder that is sent. */
import { resolve } from 'node:path';
import { repositoryConfigPath } from '../../contract/repository-config.ts';
import type { CreateWorkspaceInput } from '../../contract/workspace.ts';
import { parseRepositoryConfig } from '../../core/config/parse-repository-config.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome } from '../files/nexus-paths.ts';
import { readCommittedFiles } from '../git/committed-files.ts';
import { inspectLocalRepository, isFolder } from '../git/local-repository.ts';
import type { LocalRepository } from '../git/local-repository.ts';
import { looksLikePath, parseRepositoryReference } from '../git/repository-reference.ts';
import { configWishes, type Wishes } from './config-wishes.ts';

type Provider = NonNullable<CreateWorkspaceInput['provider']>;

export type SourceOptions = {
  readonly repository: string;
  readonly branch: string | undefined;
  readonly provider: Provider | undefined;
};

export type WorkspaceSource = {
  readonly repo: CreateWorkspaceInput['repo'];
  /** What the repository calls itself. */
  readonly name: string;
  /** `repo.branch` is of a page's address, and a folder of the repository may follow it. */
  readonly branchMayHaveFolder?: true;
  /** The folder to send; null when the node clones. */
  readonly local: LocalRepository | null;
  readonly wishes: Wishes;
};

/** @throws CliError, or config_invalid when the folder's own configuration is broken */
export async function findSource(
  options: SourceOptions,
  context: Pick<CliContext, 'cwd' | 'env'>,
): Promise<WorkspaceSource> {
  const folder = resolve(context.cwd, expandHome(options.repository, context.env));
  if (options.repository !== '' && (await isFolder(folder))) return localSource(folder, options);
  if (looksLikePath(options.repository)) {
    throw new CliError(`There is no folder ${folder}.`, {
      exitCode: exitCodes.notFound,
      next: 'nexus workspace create .',
    });
  }
  const { owner, name, url, branch, branchMayHaveFolder } = parseRepositoryReference(options.repository);
  const wanted = options.branch ?? branch;
  return {
    repo: { owner, name, ...(url === null ? {} : { url }), ...(wanted === null ? {} : { branch: wanted }) },
    name,
    ...(branchMayHaveFolder && options.branch === undefined ? { branchMayHaveFolder } : {}),
    local: null,
    wishes: options.provider === undefined ? {} : { provider: options.provider },
  };
}

async function localSource(folder: string, options: SourceOptions): Promise<WorkspaceSource> {
  const local = await inspectLocalRepository(folder, options.branch === undefined ? {} : { revision: options.branch });
  const { owner, name, originUrl, branch } = local;
  const { files, listing } = await readCommittedFiles(local);
  const text = files.get(repositoryConfigPath);
  const config = text === undefined ? null : parseRepositoryConfig(text);
  return {
    repo: {
      owner,
      name,
      source: 'upload',
      ...(originUrl === null ? {} : { url: originUrl }),
      ...(branch === null ? {} : { branch }),
    },
    name: config?.name ?? name,
    local,
    wishes: configWishes(files, listing, options.provider),
  };
}
