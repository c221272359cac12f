import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startFakeGithub, type FakeGithub } from './fake-github/fake-github.ts';

/** A fake GitHub whose certificate this process accepts. */
export async function startTrustedGithub(): Promise<FakeGithub> {
  const github = await startFakeGithub();
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(github.caFile, 'utf8')]);
  return github;
}

/** Configuration of a server in GitHub mode, whose GitHub Enterprise Server it is. */
export function githubMode({ enterpriseUrl }: Pick<FakeGithub, 'enterpriseUrl'>): Record<string, string> {
  return {
    NEXUS_AUTH_MODE: 'github',
    NEXUS_GITHUB_API_URL: `${enterpriseUrl}/api/v3`,
    NEXUS_GITHUB_WEB_URL: enterpriseUrl,
  };
}
