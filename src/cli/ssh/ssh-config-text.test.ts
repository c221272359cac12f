import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { hasInclude, withInclude } from './include-line.ts';
import { knownHostsText, sshConfigText } from './ssh-config-text.ts';

const view = {
  workspace_id: 'ws-000000000001',
  name: 'shop',
  status: 'running',
  ssh: { host: 'nexus.example.com', port: 2222, user: 'dev', key_required: '', host_key: 'ssh-ed25519 AAAA' },
} as WorkspaceView;

const options = {
  knownHostsFile: '/home/a/.nexus/ssh/known_hosts',
  keyPath: '/home/a/.ssh/id_ed25519',
  controlFolder: '/home/a/.nexus/ssh',
  programCommand: ['/opt/nexus'],
  serverHost: '10.0.0.1',
};

test('a running workspace is reached on its port, its key known', () => {
  assert.equal(
    sshConfigText([view], options),
    `# Written by nexus ssh config, which writes it anew.

Host nexus-shop
  HostName nexus.example.com
  Port 2222
  User dev
  HostKeyAlias ws-000000000001
  UserKnownHostsFile /home/a/.nexus/ssh/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  IdentityFile /home/a/.ssh/id_ed25519
  IdentitiesOnly yes
  ServerAliveInterval 15
  ServerAliveCountMax 4
  ControlMaster auto
  ControlPath /home/a/.nexus/ssh/%C
  ControlPersist 10m
`,
  );
  assert.equal(knownHostsText([view]), 'ws-000000000001 ssh-ed25519 AAAA\n');
});

test('one without a port, or stopped, is reached through nexus itself', () => {
  const program = { ...options, programCommand: ['/opt/my nexus', 'a%b'] };
  for (const workspace of [
    { ...view, ssh: { ...view.ssh, port: null } },
    { ...view, status: 'stopped' as const },
  ]) {
    const text = sshConfigText([workspace], program);
    assert.match(text, /^ {2}ProxyCommand '\/opt\/my nexus' a%%b ssh --proxy ws-000000000001$/m);
    assert.equal(/^ {2}Port /m.test(text), workspace.ssh.port !== null);
  }
});

test("this machine's name for itself means the server", () => {
  const text = sshConfigText([{ ...view, ssh: { ...view.ssh, host: 'localhost' } }], options);
  assert.match(text, /^ {2}HostName 10\.0\.0\.1$/m);
});

test('what is not known is left to OpenSSH', () => {
  const text = sshConfigText([view], { ...options, keyPath: null, controlFolder: null });
  assert.doesNotMatch(text, /Identit|Control/);
});

test('paths with blanks and percent signs are written as OpenSSH reads them', () => {
  const text = sshConfigText([view], { ...options, keyPath: '/home/a b/100%/key', controlFolder: '/home/a b/%' });
  assert.match(text, /^ {2}IdentityFile "\/home\/a b\/100%%\/key"$/m);
  assert.match(text, /^ {2}ControlPath "\/home\/a b\/%%\/%C"$/m);
});

test('without a host key, or while it is deleted, a workspace is not written', () => {
  const unready = [
    { ...view, ssh: { ...view.ssh, host_key: null } },
    { ...view, status: 'deleting' as const },
  ];
  assert.doesNotMatch(sshConfigText(unready, options), /Host /);
  assert.equal(knownHostsText(unready), '');
});

const file = '/home/a/.nexus/ssh/config';

test('the include line is put at the top once', () => {
  assert.equal(withInclude('', file), `Include ${file}\n`);
  const text = withInclude('Host *\n  ForwardAgent no\n', file);
  assert.equal(text, `Include ${file}\n\nHost *\n  ForwardAgent no\n`);
  assert.equal(withInclude(text, file), text);
  const quoted = withInclude('', '/home/a b/config');
  assert.equal(quoted, 'Include "/home/a b/config"\n');
  assert.ok(hasInclude(quoted, '/home/a b/config'));
});

const includes: readonly [text: string, included: boolean][] = [
  [`# mine\ninclude=${file}\n`, true],
  [`  Include   "${file}"\n`, true],
  [`Include /other\n`, false],
  [`Host x\n  Include ${file}\n`, false],
  [`Match all\nInclude ${file}\n`, false],
];
for (const [text, included] of includes)
  test(`${JSON.stringify(text)} includes it: ${included}`, () => assert.equal(hasInclude(text, file), included));
