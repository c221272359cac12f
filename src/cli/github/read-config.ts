import { repositoryConfigPath } from '../../contract/repository-config.ts';
import { configWishes, type Wishes } from '../workspace/config-wishes.ts';
import type { GithubApi } from './github-api.ts';

type Place = { readonly owner: string; readonly name: string; readonly branch?: string | undefined };

/**
 * What the configuration asks of the workspace's base, before there is a clone. It saves making the container a second
 * time and no more: whatever goes wrong here is met again, and told, when the clone is read.
 */
export async function readWishes(api: GithubApi, { owner, name, branch }: Place, wanted: Wishes): Promise<Wishes> {
  const ref = branch === undefined ? {} : { ref: branch };
  const route = 'GET /repos/{owner}/{repo}/contents/{path}';
  try {
    const answer = await api.call(route, { owner, repo: name, path: repositoryConfigPath, ...ref });
    const { content } = (answer?.data ?? {}) as { content?: unknown };
    if (typeof content !== 'string') return wanted;
    const text = Buffer.from(content, 'base64').toString('utf8');
    return configWishes(new Map([[repositoryConfigPath, text]]), [repositoryConfigPath], wanted.provider);
  } catch {
    return wanted;
  }
}
