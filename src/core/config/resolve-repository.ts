import type { ResolvedConfig } from '../../contract/service-spec.ts';

export type ResolveOptions = {
  /** Paths of the files in `.nexus/hooks` that may be executed. Absent: all that are there. */
  readonly executableHooks?: readonly string[];
  /** The provider that the workspace runs on. Absent: the file's default. */
  readonly provider?: 'lxc' | 'docker' | 'qemu';
};

/**
 * What a workspace of a repository has: what its `.nexus/config.yaml` says, else what is detected.
 * `files` are the texts by path that `repositoryFiles` names, `listing` the paths (see `repositoryReading`).
 * @throws config_invalid, dependency_cycle
 */
export function resolveRepository(
  _files: ReadonlyMap<string, string>,
  _listing: readonly string[],
  _options: ResolveOptions = {},
): ResolvedConfig {
  throw new Error('comes with the next commit');
}
