import assert from 'node:assert/strict';
import test from 'node:test';
import { isLoopback, keepLoopbackFromProxy } from './loopback.ts';

const cases: [string, boolean][] = [
  ['localhost', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['[::1]', true],
  ['127.example.org', false],
  ['localhost.example.org', false],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
  ['nexus.example.org', false],
  ['', false],
];

test('only what never leaves this machine is loopback', () => {
  for (const [host, expected] of cases) assert.equal(isLoopback(host), expected, host);
});

const loopback = 'localhost,127.0.0.1,::1';
const settings: readonly [name: string, env: Record<string, string>, noProxy: string | undefined][] = [
  ['no proxy', {}, undefined],
  ['a proxy for everything', { HTTP_PROXY: 'http://p' }, loopback],
  ['a proxy with exceptions', { https_proxy: 'http://p', no_proxy: 'a.example, localhost' }, `a.example,${loopback}`],
  ['exceptions in capitals', { ALL_PROXY: 'http://p', NO_PROXY: 'b.example' }, `b.example,${loopback}`],
  ['a proxy for nothing', { http_proxy: 'http://p', NO_PROXY: '*' }, '*'],
];
for (const [name, env, noProxy] of settings)
  test(`what is for this machine goes past the proxy: ${name}`, () => {
    const changed: Record<string, string | undefined> = { ...env };
    keepLoopbackFromProxy(changed);
    assert.equal(changed['NO_PROXY'], noProxy);
  });
