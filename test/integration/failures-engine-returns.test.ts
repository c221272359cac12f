/** What failed because an engine was away goes on when it is back, and what failed for another reason does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import type { ProviderHealth } from '../../src/contract/node.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { plainConfig, ScriptedEngine, scriptedHealth as well } from '../support/scripted-agent.ts';

const away: ProviderHealth = { ...well, ok: false, reason: 'no engine listens there' };
const engineAway = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'it went away' });

test('what the repository is to blame for is not', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = { ...plainConfig, lifecycle: { pre_start: 'npm install' } };
  const providers: ProviderHealth[] = [well];
  await using _agent = await world.agent(engine, { providers });
  const hookFailed = new NexusError('hook_failed', { hook: 'pre_start', exit_code: 1, output: [] });
  engine.fail('run_hook:pre_start', hookFailed);
  const id = await world.create();
  const before = await world.until(id, ({ status }) => status === 'error');
  providers[0] = away;
  await hasTold(world, false);
  providers[0] = well;
  await hasTold(world, true);
  assert.equal((await world.row(id)).generation, before.generation);
});

test('one that cannot be looked at keeps its error, and whoever waits for it hears it', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = { ...plainConfig, lifecycle: { pre_start: 'npm install' } };
  await using _agent = await world.agent(engine);
  engine.fail('run_hook:pre_start', new NexusError('hook_failed', { hook: 'pre_start', exit_code: 1, output: [] }));
  const id = await world.create();
  const { error_json } = await world.until(id, ({ status }) => status === 'error');
  engine.fail('observe', engineAway);
  await world.restartServer();
  await world.until(id, ({ warnings_json }) => warnings_json.includes('it went away'));
  await assert.rejects(world.server.reconciler.settled(id, { timeoutMs: 10_000 }), { code: 'hook_failed' });
  assert.deepEqual([(await world.row(id)).status, (await world.row(id)).error_json], ['error', error_json]);
});

/** Resolves when the server has taken in that the engine is there, or away. */
async function hasTold(world: ReconcileWorld, isWell: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unlisten = world.server.hub.events.listen((event) => {
    if (event.type === 'heartbeat' && event.providers?.every(({ ok }) => ok === isWell)) setImmediate(resolve);
  });
  await promise.finally(unlisten);
}
