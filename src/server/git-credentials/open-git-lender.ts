import type { ServerConfig } from '../../contract/server-config.ts';
import { createGitLender, type GitLender, type GitLenderParts } from './git-lender.ts';
import { openSealer } from './sealer.ts';

/** Without GitHub's tokens there is nothing to lend. */
const nothingToLend: GitLender = {
  take: async () => undefined,
  refuse: async () => undefined,
  lendTo: async () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** @throws config_invalid when the file of the key holds none */
export async function openGitLender({
  config,
  keyFile,
  ...parts
}: Omit<GitLenderParts, 'sealer' | 'webUrl'> & {
  readonly config: Pick<ServerConfig, 'auth' | 'github'>;
  readonly keyFile: string;
}): Promise<GitLender> {
  if (config.auth.mode !== 'github') return nothingToLend;
  return createGitLender({ ...parts, sealer: await openSealer(keyFile), webUrl: config.github.web_url });
}
