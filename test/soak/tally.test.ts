import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDisturbances } from './disturbances.ts';
import { createHeldConnections } from './held-connections.ts';
import { createTally, type Failure } from './tally.ts';

function clock() {
  let atMs = 0;
  return { now: () => atMs, pass: (ms: number) => void (atMs += ms) };
}

function world() {
  const { now, pass } = clock();
  const disturbances = createDisturbances(now);
  const failures: Failure[] = [];
  return { now, pass, disturbances, failures };
}

describe('createDisturbances', () => {
  it('names what overlapped with a time until now, also what is not over', () => {
    const { pass, disturbances } = world();
    const end = disturbances.begin('kill of server');
    pass(10);
    end();
    pass(10);
    disturbances.begin('engine away');
    pass(10);
    assert.deepEqual(disturbances.since(5), ['kill of server', 'engine away']);
    assert.deepEqual(disturbances.since(15), ['engine away']);
  });

  it('ends each once', () => {
    const { pass, disturbances } = world();
    const end = disturbances.begin('kill of server');
    pass(10);
    end();
    pass(10);
    end();
    assert.equal(disturbances.all[0]?.toMs, 10);
  });
});

describe('createTally', () => {
  it('counts what happened while nothing was disturbed apart', async () => {
    const { now, pass, disturbances, failures } = world();
    const tally = createTally({ now, disturbances, onFailure: (failure) => failures.push(failure) });
    const taking = (ms: number, error?: Error) => async () => {
      pass(ms);
      if (error) throw error;
      return ms;
    };
    assert.equal(await tally.count('read', taking(5)), 5);
    assert.equal(await tally.count('read', taking(5, new Error('refused', { cause: new Error('why') }))), null);
    const end = disturbances.begin('kill of agent');
    await tally.count('read', taking(5));
    await tally.count('read', taking(5, new Error('refused')));
    end();
    pass(1);
    await tally.count('read', taking(7));
    assert.deepEqual(tally.calm, { ok: 2, failed: 1 });
    assert.deepEqual(tally.disturbed, { 'kill of agent': { ok: 1, failed: 1 } });
    assert.deepEqual(tally.durations, [5, 7]);
    assert.deepEqual(failures, [
      { atMs: 10, what: 'read: refused (why)', during: [] },
      { atMs: 20, what: 'read: refused', during: ['kill of agent'] },
    ]);
  });
});

describe('createHeldConnections', () => {
  it('calls lost what ended by nothing that may end it', () => {
    const { now, pass, disturbances, failures } = world();
    const sessions = createHeldConnections({
      now,
      disturbances,
      mayEnd: (what) => what.includes('gateway'),
      onLost: (loss) => failures.push(loss),
    });
    sessions.open();
    sessions.use();
    pass(100);
    disturbances.begin('kill of server')();
    sessions.end({ lastUsedMs: 90, reason: 'reset' });
    disturbances.begin('kill of gateway')();
    sessions.end({ lastUsedMs: 90, reason: 'reset' });
    pass(100);
    sessions.end({ lastUsedMs: 190, reason: 'no echo' });
    assert.deepEqual([sessions.opened, sessions.used], [1, 1]);
    assert.deepEqual(sessions.ended, { 'kill of gateway': 1 });
    assert.deepEqual(sessions.lost, [
      { atMs: 100, what: 'reset', during: ['kill of server'] },
      { atMs: 200, what: 'no echo', during: [] },
    ]);
    assert.deepEqual(failures, sessions.lost);
  });
});
