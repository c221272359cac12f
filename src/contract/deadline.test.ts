import assert from 'node:assert/strict';
import test from 'node:test';
import { withDeadline } from './deadline.ts';

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

test('a task has its time, and ends early when its caller gives up', async () => {
  assert.equal(await withDeadline({ timeoutMs: 1000 }, 'It', () => Promise.resolve(7)), 7);
  await assert.rejects(withDeadline({ timeoutMs: 1 }, 'It', untilAborted), {
    code: 'timeout',
    message: 'It took longer than 0.001 s.',
  });
  const caller = new AbortController();
  const given = withDeadline({ timeoutMs: 60_000, signal: caller.signal }, 'It', untilAborted);
  caller.abort(new Error('enough'));
  await assert.rejects(given, { message: 'enough' });
});
