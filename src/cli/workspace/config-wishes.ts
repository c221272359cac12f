import { repositoryConfigPath } from '../../contract/repository-config.ts';
import type { CreateWorkspaceInput } from '../../contract/workspace.ts';
import { parseRepositoryConfig } from '../../core/config/parse-repository-config.ts';
import { resolveRepository } from '../../core/config/resolve-repository.ts';

/** What is known of the configuration before the clone, so that the right base is taken at once. */
export type Wishes = Pick<CreateWorkspaceInput, 'image' | 'packages' | 'provider'>;

/**
 * @param chosen the provider that the person named, which goes before the configuration's
 * @throws config_invalid
 */
export function configWishes(
  files: ReadonlyMap<string, string>,
  listing: readonly string[],
  chosen: Wishes['provider'],
): Wishes {
  const text = files.get(repositoryConfigPath);
  const config = text === undefined ? null : parseRepositoryConfig(text);
  const provider = chosen ?? config?.provider ?? config?.providers.default;
  const { image, packages } = resolveRepository(files, listing, provider === undefined ? {} : { provider });
  return {
    ...(image === null ? {} : { image }),
    ...(packages.length === 0 ? {} : { packages }),
    ...(provider === undefined ? {} : { provider }),
  };
}
