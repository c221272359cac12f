import type { CreateWorkspaceRequest } from '../contract/workspace.ts';

/** Where a repository is cloned from; empty for a folder that was sent and came from nowhere. */
export function repositoryUrl({ owner, name, url, source }: CreateWorkspaceRequest['repo'], githubUrl: string): string {
  if (url !== undefined) return url;
  return source === 'upload' ? '' : `${githubUrl}/${owner}/${name}.git`;
}
