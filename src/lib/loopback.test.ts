import assert from 'node:assert/strict';
import test from 'node:test';
import { isLoopback } from './loopback.ts';

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
