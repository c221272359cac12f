import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ServerUnreachable } from '../contract/api-client.ts';
import { NexusError } from '../contract/errors.ts';
import { failure, interrupted, usageError } from './cli-error.ts';
import type { CliError } from './cli-error.ts';
import { describeFailure, reportError, withTitle } from './report-error.ts';

const cases: readonly [name: string, thrown: unknown, exitCode: number, next: string | null][] = [
  ['a failure', failure('no', { next: 'x' }), 1, 'x'],
  ['wrong use', usageError('no'), 2, null],
  ['Ctrl-C', interrupted(), 130, null],
  ['Ctrl-C in a wait', AbortSignal.abort().reason, 130, null],
  ['not signed in', new NexusError('unauthorized', { reason: 'no token' }), 4, 'nexus doctor'],
  ['not found', new NexusError('not_found', { kind: 'workspace', name: 'x' }), 5, 'nexus workspace list'],
  ['an older server', new NexusError('not_found', { kind: 'endpoint', name: 'GET /x' }), 1, 'nexus server status'],
  ['a conflict', new NexusError('workspace_already_stopped', { name: 'x' }), 6, 'nexus workspace up x'],
  ['a time limit', new NexusError('timeout', { what: 'It', seconds: 3 }), 8, 'nexus workspace list'],
  ['a bad request', new NexusError('invalid_request', { fields: [] }), 2, 'curl -fsS "$NEXUS_SERVER/openapi.json"'],
  ['too many requests', new NexusError('rate_limited', { limit: 600, retry_after_seconds: 2 }), 1, 'sleep 2'],
  [
    'a folder that is not there',
    Object.assign(new Error("ENOENT: no such file or directory, mkdir '/proc/x'"), {
      code: 'ENOENT',
      syscall: 'mkdir',
      path: '/proc/x',
    }),
    1,
    'ls -ld /proc',
  ],
  ['a broken clone', new NexusError('clone_failed', { url: 'u', reason: 'r' }), 1, 'git ls-remote u'],
  ['no server here', new ServerUnreachable('http://127.0.0.1:3001', 'refused'), 7, 'nexus server start'],
  ['no server there', new ServerUnreachable('https://nexus.example.com', 'refused'), 7, 'nexus doctor'],
  ['a fault', new TypeError('x is not y'), 1, 'NEXUS_DEBUG=1 in front of the same command shows where'],
  ['no error at all', 'text', 1, 'NEXUS_DEBUG=1 in front of the same command shows where'],
];
for (const [name, thrown, exitCode, next] of cases) {
  test(`${name} ends with ${exitCode}`, () => {
    const described = describeFailure(thrown, 'Could not');
    assert.deepEqual([described.exitCode, described.next], [exitCode, next]);
  });
}

const fileFailures: readonly [code: string, path: string, why: string, next: string][] = [
  [
    'EACCES',
    '/home/a/.ssh/config.1f.tmp',
    '/home/a/.ssh cannot be written to: permission is denied.',
    'ls -ld /home/a/.ssh',
  ],
  [
    'ENOSPC',
    '/home/a/.ssh/config.1f.tmp',
    '/home/a/.ssh cannot be written to: the disk is full.',
    'df -h /home/a/.ssh',
  ],
  [
    'EACCES',
    '/home/a/.nexus/config.yaml',
    '/home/a/.nexus/config.yaml: permission is denied.',
    'ls -ld /home/a/.nexus',
  ],
  ['EEXIST', '/home/a/.ssh', '/home/a/.ssh: a file is in its place.', 'ls -ld /home/a/.ssh'],
];
for (const [code, path, why, next] of fileFailures) {
  test(`${code} of a file is no fault of nexus`, () => {
    const described = describeFailure(Object.assign(new Error(`${code}: no`), { code, path }), 'Could not');
    assert.deepEqual(described, { title: 'Could not', why, next, exitCode: 1 });
  });
}

test('a cause that arose here is told', () => {
  const here = new NexusError('internal', {}, { cause: new Error('disk on fire') });
  assert.equal(describeFailure(here, '').why, 'The server failed. disk on fire');
  assert.equal(describeFailure(new NexusError('internal', {}), '').why, 'The server failed.');
});

function report(
  thrown: unknown,
  options: { debug?: boolean; hasColor?: boolean } = {},
): { text: string; exitCode: number } {
  let text = '';
  const stderr = {
    write: (chunk: string) => void (text += chunk),
    stream: new PassThrough(),
    isTerminal: false,
    hasColor: options.hasColor ?? false,
    columns: () => 80,
  };
  const exitCode = reportError(thrown, { title: 'Could not stop x', stderr, debug: options.debug ?? false });
  return { text, exitCode };
}

test('an error is what failed, why, and what to do next', () => {
  assert.deepEqual(report(new NexusError('workspace_already_stopped', { name: 'x' })), {
    text: '✖ Could not stop x\n  x is stopped already.\n  → nexus workspace up x\n',
    exitCode: 6,
  });
  assert.equal(report(usageError('one\ntwo', { title: 'Wrong use' })).text, '✖ Wrong use\n  one\n  two\n');
  assert.ok(
    report(failure('no'), { hasColor: true }).text.startsWith('\u001B[31m✖\u001B[39m \u001B[1mCould not stop x'),
  );
});

test('NEXUS_DEBUG=1 shows the causes', () => {
  const { text } = report(failure('no', { cause: new Error('deep', { cause: 'deeper' }) }), { debug: true });
  assert.match(text, /CliError: no\n[^]*caused by: Error: deep\n[^]*caused by: deeper\n$/);
  const bare = Object.assign(new Error('bare'), { stack: undefined });
  assert.match(report(bare, { debug: true }).text, /\nbare\n$/);
});

test('a title that says more is put before what is thrown', async () => {
  const work = () => Promise.reject(new NexusError('workspace_already_stopped', { name: 'x' }));
  await assert.rejects(withTitle('Could not stop x', work), (error: CliError) => {
    assert.deepEqual(describeFailure(error, 'Could not stop the workspace').title, 'Could not stop x');
    return error.exitCode === 6;
  });
  assert.equal(await withTitle('', () => Promise.resolve(1)), 1);
});
