/** The clone on this machine beside the one in the workspace, as a step of the progress. */
import type { CliContext } from '../context.ts';
import type { CloneTarget } from '../git/clone-target.ts';
import { cloneRepository } from '../git/local-clone.ts';
import { urlOf } from '../github/resolve-source.ts';
import type { ResolvedSource } from '../github/resolve-source.ts';
import { withTitle } from '../report-error.ts';
import type { Progress } from './wait-for-workspace.ts';

export type LocalClone = {
  readonly path: string;
  /** False: it was there. */
  readonly is_new: boolean;
};

/** @throws CliError when git fails; null when none is wanted */
export async function cloneHere(
  context: Pick<CliContext, 'interrupt'>,
  options: { target: CloneTarget | null; resolved: ResolvedSource; progress: Progress; workspace: string },
): Promise<LocalClone | null> {
  const { target, resolved, progress, workspace } = options;
  if (target === null) return null;
  const { folder: path, remotes } = target;
  if (remotes !== null) return { path, is_new: false };
  const { steps } = progress;
  const key = 'clone_here';
  steps.begin(key, `Clone to ${path}`);
  progress.update();
  const { source, credential } = resolved;
  // Where it is cloned to is said already, and it is elsewhere until it is whole.
  const onProgress = (text: string): void => {
    if (!text.startsWith('Cloning into')) steps.detail(key, text);
  };
  return withTitle(`Could not clone to ${path}, but the workspace ${workspace} is made`, async () => {
    try {
      const { branch = null, upstream_url: upstream = null } = source.repo;
      const url = urlOf(source);
      await cloneRepository({ folder: path, url, branch, upstream, credential, signal: context.interrupt, onProgress });
      steps.end(key, 'done');
      return { path, is_new: true };
    } catch (error) {
      steps.end(key, 'failed');
      throw error;
    } finally {
      progress.update();
    }
  });
}

/** Both to their end; then what failed first in the order of the arguments is thrown. */
export async function bothOf<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}
