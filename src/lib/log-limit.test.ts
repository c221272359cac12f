import assert from 'node:assert/strict';
import test from 'node:test';
import type { Logger } from './log.ts';
import { limitLog } from './log-limit.ts';

function recorder() {
  const written: unknown[][] = [];
  const write = ((...line: unknown[]) => void written.push(line)) as Logger['info'];
  return { written, log: { debug: write, info: write, warn: write, error: write } satisfies Logger };
}

test('of each kind so many lines in a window, and the next says how many were left out', () => {
  const { log, written } = recorder();
  let nowMs = 0;
  const limited = limitLog(log, { lines: 2, everyMs: 1000, now: () => nowMs });
  for (let turn = 0; turn < 7; turn += 1) limited.warn({ from: turn }, 'turned away');
  assert.deepEqual(written, [
    [{ from: 0 }, 'turned away'],
    [{ from: 1 }, 'turned away'],
  ]);
  nowMs = 1000;
  limited.warn({ from: 7 }, 'turned away');
  assert.deepEqual(written.at(-1), [{ from: 7, left_out: 5 }, 'turned away']);
  nowMs = 2000;
  limited.warn({ from: 8 }, 'turned away');
  assert.deepEqual(written.at(-1), [{ from: 8 }, 'turned away']);
});

test('one workspace does not hide the lines of another, nor one message those of another', () => {
  const { log, written } = recorder();
  const limited = limitLog(log, { lines: 1, everyMs: 1000, now: () => 0 });
  for (const workspace of ['ws-a', 'ws-b', 'ws-a']) limited.info({ workspace }, 'no way');
  for (const peer of ['node-1', 'node-2', 'node-1']) limited.error({ peer }, 'gone');
  limited.debug('plain');
  limited.debug('plain');
  assert.deepEqual(written, [
    [{ workspace: 'ws-a' }, 'no way'],
    [{ workspace: 'ws-b' }, 'no way'],
    [{ peer: 'node-1' }, 'gone'],
    [{ peer: 'node-2' }, 'gone'],
    [{}, 'plain'],
  ]);
});

test('the windows themselves are bounded', () => {
  const { log, written } = recorder();
  const limited = limitLog(log, { lines: 1, everyMs: 1000, now: () => 0 });
  for (let port = 0; port < 10_001; port += 1) limited.info({ port }, 'no way');
  limited.info({ port: 0 }, 'no way');
  assert.equal(written.length, 10_002);
});
