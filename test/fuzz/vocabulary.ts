/** What the names of fields and parameters mean to a Nexus server: most of the guesses at them are near. */
import * as fc from 'fast-check';
import { osUserName } from '../../src/lib/os-user.ts';
import { publicKeys } from '../support/public-keys.ts';
import { secretMark } from './hostile-values.ts';
import type { Vocabulary } from './schema-values.ts';

const { ed25519, rsa } = publicKeys;
const services = fc.constantFrom('web', 'api', 'db');

function service(name: string, depends_on: readonly string[]): object {
  return { name, command: 'sleep 1000', port: 3000, depends_on, env: { PASSWORD: `${secretMark}-in-env` } };
}

export const vocabulary: Vocabulary = {
  id: fc.nat({ max: 40 }).map((index) => `~ws${index}~`),
  username: fc.constantFrom(osUserName(), 'nobody'),
  github_username: fc.constant(osUserName()),
  owner: fc.constantFrom(osUserName(), 'acme'),
  github_id: fc.constantFrom((process.getuid?.() ?? 0) + 1, 7),
  ssh_pubkey: fc.constantFrom(ed25519.line, rsa.line),
  ssh_pubkey_fingerprint: fc.constantFrom(ed25519.fingerprint, rsa.fingerprint),
  workspace_name: fc.nat({ max: 40 }).map((number) => `w${number}`),
  name: fc.oneof(services, services, fc.constantFrom('node-1', 'node-2', 'shop')),
  services: fc.constantFrom(
    [],
    [service('web', ['db']), service('db', [])],
    [service('api', []), service('web', ['api', 'db']), service('db', [])],
  ),
  image: fc.constantFrom('debian:12', 'nothing:0'),
  branch: fc.constant('main'),
  upstream_url: fc.constant('https://example.com/up/stream.git'),
  packages: fc.constantFrom([], ['postgresql']),
  depends_on: fc.uniqueArray(services, { maxLength: 2 }),
  port: fc.constantFrom(22, 3000, 8080),
  source: fc.constantFrom('git', 'git', 'upload'),
  url: fc.constantFrom(
    'https://example.com/a/b.git',
    'git@example.com:a/b.git',
    `https://a:${secretMark}@example.com/b`,
  ),
  provider: fc.constant('lxc'),
  env: fc.constantFrom({}, { PASSWORD: `${secretMark}-in-env` }),
  command: fc.constantFrom<unknown>('sleep 1', ['true'], ['sh', '-c', `echo ${secretMark}-in-command`]),
  stdin: fc.constantFrom('', `${secretMark}-in-stdin`),
  service: fc.constantFrom('web', 'create', 'nothing'),
  file: fc.constantFrom('nexus-linux-x64', 'nexus-darwin-arm64', 'nexus-linux-x64.sha256'),
};
