import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Output } from '../terminal/output.ts';
import { createDevicePoll } from './device-poll.ts';

type Answer = { data: { error?: string; interval?: number; access_token?: string } };

function scene(answers: readonly (Answer | Error)[], interrupt = new AbortController().signal) {
  const pauses: number[] = [];
  let said = '';
  const stderr: Output = {
    write: (text) => void (said += text),
    stream: new PassThrough(),
    isTerminal: false,
    hasColor: false,
    columns: () => 80,
  };
  const poll = createDevicePoll({ interrupt, stderr }, async (ms) => void pauses.push(ms));
  const left = [...answers];
  async function request(): Promise<Answer> {
    const next = left.shift();
    if (next === undefined || next instanceof Error) throw next ?? new Error('asked too often');
    return next;
  }
  return { poll, pauses, said: () => said, ask: () => poll.ask(request, {}) };
}

const pending = { data: { error: 'authorization_pending' } };
const granted = { data: { access_token: 'gho_1' } };
const away = Object.assign(new Error('bad gateway'), { status: 502, response: {} });
const refused = Object.assign(new Error('not found'), { status: 404, response: {} });

test('it is asked in the interval, which is longer after each slow_down', async () => {
  const { poll, pauses, ask } = scene([
    pending,
    { data: { error: 'slow_down', interval: 10 } },
    pending,
    { data: { error: 'slow_down' } },
    pending,
    granted,
  ]);
  poll.begin({ intervalSeconds: 5, lifeSeconds: 900 });
  assert.equal(await ask(), granted);
  assert.deepEqual(pauses, [5000, 10_000, 10_000, 15_000, 15_000]);
});

test('a GitHub that is away is asked again, and said once', async () => {
  const { poll, pauses, ask, said } = scene([away, new Error('no network'), granted]);
  poll.begin({ intervalSeconds: 0, lifeSeconds: 900 });
  assert.equal(await ask(), granted);
  assert.deepEqual(pauses, [1000, 1000]);
  assert.equal(said(), '! GitHub does not answer at the moment; it is asked again\n');
});

test('before there is a code, after it ran out, and where GitHub refuses, a failure is one', async () => {
  await assert.rejects(scene([away]).ask(), away);
  const late = scene([away]);
  late.poll.begin({ intervalSeconds: 0, lifeSeconds: -1 });
  await assert.rejects(late.ask(), away);
  const other = scene([refused]);
  other.poll.begin({ intervalSeconds: 0, lifeSeconds: 900 });
  await assert.rejects(other.ask(), refused);
});

test('what ends the waiting is answered, whatever it is', async () => {
  const denied = { data: { error: 'access_denied' } };
  assert.equal(await scene([pending, denied]).ask(), denied);
});

test('Ctrl-C ends it', async () => {
  await assert.rejects(scene([away], AbortSignal.abort(new Error('interrupted'))).ask(), /interrupted/);
});
