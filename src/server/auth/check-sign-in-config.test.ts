import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NexusError } from '../../contract/errors.ts';
import { serverConfig } from '../../contract/server-config.ts';
import { checkSignInConfig } from './check-sign-in-config.ts';

function problemsOf(config: object): string[] {
  try {
    checkSignInConfig(serverConfig.parse(config));
    return [];
  } catch (error) {
    const { code, details } = error as NexusError<'config_invalid'>;
    assert.equal(code, 'config_invalid');
    return details.problems.map(({ path, problem }) => `${path} ${problem}`);
  }
}

const oidc = { issuer: 'https://login.example.com', audience: 'nexus' };
const cases: readonly [name: string, config: object, problems: string[]][] = [
  ['local mode needs nothing', {}, []],
  ['github mode needs nothing more', { auth: { mode: 'github' } }, []],
  [
    'an OAuth App has both of its keys',
    { auth: { mode: 'github' }, github: { client_id: 'x', client_secret: 'y' } },
    [],
  ],
  ['an id alone, for the device flow', { auth: { mode: 'github' }, github: { client_id: 'x' } }, []],
  [
    'an OAuth App without its id',
    { auth: { mode: 'github' }, github: { client_secret: 'x' } },
    ['github.client_id is required with github.client_secret'],
  ],
  [
    'tokens do not go over the network in clear',
    { auth: { mode: 'github' }, github: { api_url: 'http://git.example.com/api/v3', web_url: 'http://localhost:1' } },
    ['github.api_url must begin with https://, as tokens are sent there'],
  ],
  ['oidc mode with its issuer', { auth: { mode: 'oidc', oidc } }, []],
  ['oidc mode on this machine', { auth: { mode: 'oidc', oidc: { ...oidc, issuer: 'http://127.0.0.1:1' } } }, []],
  [
    'oidc mode without an issuer',
    { auth: { mode: 'oidc' } },
    ['auth.oidc is required in oidc mode: issuer and audience'],
  ],
  [
    'an issuer in clear',
    { auth: { mode: 'oidc', oidc: { ...oidc, issuer: 'http://login.example.com' } } },
    ['auth.oidc.issuer must begin with https://, as tokens are sent there'],
  ],
];
for (const [name, config, problems] of cases) test(name, () => assert.deepEqual(problemsOf(config), problems));
