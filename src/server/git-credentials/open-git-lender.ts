import type { ServerConfig } from '../../contract/server-config.ts';
import { renewToken } from '../github/exchange-code.ts';
import { createGitLender, type GitLender, type GitLenderParts } from './git-lender.ts';
import { openSealer } from './sealer.ts';

const renewEveryMs = 5 * 60_000;

/** Without GitHub's tokens there is nothing to lend. */
const nothingToLend: GitLender = {
  take: async () => undefined,
  refuse: async () => undefined,
  lendTo: async () => undefined,
  expect: () => undefined,
  renewEnding: async () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** @throws config_invalid when the file of the key holds none */
export async function openGitLender({
  config,
  keyFile,
  ...parts
}: Omit<GitLenderParts, 'sealer' | 'renew' | 'webUrl'> & {
  readonly config: Pick<ServerConfig, 'auth' | 'github'>;
  readonly keyFile: string;
}): Promise<GitLender> {
  if (config.auth.mode !== 'github') return nothingToLend;
  const { web_url: webUrl, client_id: clientId, client_secret: clientSecret } = config.github;
  const app = clientId === undefined || clientSecret === undefined ? null : { webUrl, clientId, clientSecret };
  const lender = createGitLender({
    ...parts,
    sealer: await openSealer(keyFile),
    renew: app && ((refreshToken) => renewToken(app, refreshToken)),
    webUrl,
  });
  const renew = (): void => {
    lender.renewEnding().catch((error: unknown) => parts.log.error({ err: error }, 'tokens could not be renewed'));
  };
  renew();
  const renewing = setInterval(renew, renewEveryMs);
  return {
    ...lender,
    [Symbol.dispose]() {
      clearInterval(renewing);
      lender[Symbol.dispose]();
    },
  };
}
