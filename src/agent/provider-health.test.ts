import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NexusError } from '../contract/errors.ts';
import { watchInstances, type SeenInstance } from './instance-watch.ts';
import { probeProviders } from './provider-health.ts';
import type { Instance, Provider } from './providers/provider.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function provider(parts: Partial<Provider>): Provider {
  return { name: 'lxc', ...parts } as Provider;
}

describe('the health of engines', () => {
  it('is what they say, and asked for once at a time', async () => {
    let asked = 0;
    const probe = async () => {
      asked += 1;
      return { engine: 'lxd', version: '5', diskTotalBytes: 10, diskFreeBytes: 4 };
    };
    using health = probeProviders([provider({ probe })], { everyMs: 1_000_000 });
    assert.equal(health.last, undefined);
    await Promise.all([health.refresh(), health.refresh()]);
    assert.equal(asked, 1);
    assert.deepEqual(health.last, [
      { name: 'lxc', ok: true, engine: 'lxd', version: '5', disk_total_bytes: 10, disk_free_bytes: 4, reason: null },
    ]);
  });

  it('has the reason when one does not answer', async () => {
    const error = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'no socket' });
    using health = probeProviders([provider({ probe: () => Promise.reject(error) })], { everyMs: 1_000_000 });
    const [found] = await health.refresh();
    assert.equal(found?.ok, false);
    assert.equal(found?.reason, 'no socket');
    using other = probeProviders([provider({ probe: () => Promise.reject(new Error('odd')) })], { everyMs: 1_000_000 });
    assert.match((await other.refresh())[0]?.reason ?? '', /failed/);
  });

  it('is asked for now and then', async (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const asked = Promise.withResolvers<void>();
    const probe = async () => {
      asked.resolve();
      return { engine: 'lxd', version: '5', diskTotalBytes: 10, diskFreeBytes: 4 };
    };
    using _health = probeProviders([provider({ probe })], { everyMs: 1000 });
    context.mock.timers.tick(1000);
    await asked.promise;
  });
});

describe('the watch over instances', () => {
  it('tells changes only, and goes on when an engine does not answer', async () => {
    const instance = (state: Instance['state']): Instance => ({ id: 'ws-1', state, address: null, base: 'b' });
    const answers = [[instance('stopped')], [instance('stopped')], null, [instance('running')], []];
    let asked = 0;
    const done = Promise.withResolvers<void>();
    const list = async () => {
      const answer = answers[asked];
      asked += 1;
      if (asked >= answers.length) done.resolve();
      if (answer === null) throw new Error('no answer');
      return answer ?? [];
    };
    const told: string[] = [];
    const onChange = (seen: readonly SeenInstance[]) => told.push(seen.map(({ instance: { state } }) => state).join());
    const looks: boolean[] = [];
    const onLook = (answered: boolean) => looks.push(answered);
    await using watch = watchInstances([provider({ list })], { everyMs: 1, onChange, onLook, log: silent });
    assert.equal(watch.last, null);
    await done.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, ['stopped', 'running', '']);
    assert.deepEqual(watch.last, []);
    assert.deepEqual(looks.slice(0, 5), [true, true, false, true, true]);
  });
});
