import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillInstallScript, serverAddress } from './install-script.ts';

const asked = { scheme: 'http', publicHost: 'nexus.example.com', port: 3001 } as const;

const hosts: readonly [askedHost: string | undefined, origin: string][] = [
  ['10.0.0.7:3001', 'http://10.0.0.7:3001'],
  ['Build.Example.com', 'http://build.example.com'],
  ['[fd00::1]:3001', 'http://[fd00::1]:3001'],
  [undefined, 'http://nexus.example.com:3001'],
  ["x'; touch /tmp/injected; '", 'http://nexus.example.com:3001'],
  ['$(reboot)', 'http://nexus.example.com:3001'],
  ['user@evil.example.com', 'http://nexus.example.com:3001'],
  ['a/../b', 'http://nexus.example.com:3001'],
  ['a:b:c', 'http://nexus.example.com:3001'],
  ['', 'http://nexus.example.com:3001'],
];
for (const [askedHost, origin] of hosts) {
  test(`asked as ${JSON.stringify(askedHost)}, the server is ${origin}`, () => {
    assert.equal(serverAddress({ ...asked, askedHost }).origin, origin);
  });
}

test('a configured host that is an address, or none, is understood too', () => {
  const configured = (publicHost: string): string =>
    serverAddress({ ...asked, scheme: 'https', publicHost, askedHost: undefined }).origin;
  assert.equal(configured('fd00::1'), 'https://[fd00::1]:3001');
  assert.equal(configured('not a host'), 'https://127.0.0.1:3001');
});

const template = "s='@SERVER@' h='@SERVER_HOST@' p='@SERVER_PORT@' c='@SHA256_LINUX_X64@'";

test('every place of the template gets its value', () => {
  const fill = (url: string): string => fillInstallScript(template, new URL(url), { 'linux-x64': 'abc' });
  assert.equal(fill('http://a:3001'), "s='http://a:3001' h='http://a' p='3001' c='abc'");
  assert.equal(fill('https://a'), "s='https://a' h='https://a' p='443' c='abc'");
  assert.equal(fill('http://[::1]'), "s='http://[::1]' h='http://[::1]' p='80' c='abc'");
});

test('a place without a value, or a value that could end its quotes, fails', () => {
  assert.throws(() => fillInstallScript(template, new URL('http://a'), {}), /SHA256_LINUX_X64/);
  assert.throws(() => fillInstallScript(template, new URL('http://a'), { 'linux-x64': "'; reboot; '" }), /SHA256/);
});
