/**
 * The plan in a model of all that it works in (`test/support/plan-model`): a server that may die, a node, an agent with
 * its journal, and connections that break. From every state that events in any order lead to, the workspace becomes
 * what was asked for once the world is calm; what must never be is looked for after each event.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { anyEvent } from '../../../test/support/plan-model/model-events.ts';
import { serviceVerdicts } from './services.ts';
import { specs } from '../../../test/support/plan-model/model-node.ts';
import { ModelWorld } from '../../../test/support/plan-model/model-world.ts';

/** A creation that takes its longest way, with every step failing as often as it may, needs fewer. */
const mostTurns = 1_500;

test('without trouble a workspace comes up by the shortest way', () => {
  const world = new ModelWorld();
  world.calm(200);
  assert.deepEqual(world.server.path, ['pending', 'creating', 'running']);
  const steps = world.server.want.done.map(({ command }) => command.do);
  const first = ['ensure_base', 'create_instance', 'start_instance', 'configure', 'clone', 'read_config'];
  const again = [
    'ensure_base',
    'remove_instance',
    'create_instance',
    'start_instance',
    'configure',
    'clone',
    'read_config',
    'configure',
  ];
  const hooks = ['run_hook', 'run_hook', 'run_hook', 'start_service', 'start_service', 'start_service', 'run_hook'];
  assert.deepEqual(steps, [...first, ...again, ...hooks]);
});

function ask(world: ModelWorld, request: 'start' | 'stop' | 'delete'): void {
  world.happen({ kind: 'ask', request, force: request === 'delete' });
  world.calm(mostTurns);
}

function sickServices(world: ModelWorld): string[] {
  return specs.map(({ name }) => name).filter((name) => !world.node.isServiceWell(name));
}

/** Comes to rest; whoever finds an error asks for another try, and there is nothing in its way. */
function comesToRest(world: ModelWorld): void {
  const { server } = world;
  world.calm(mostTurns);
  if (server.want.status === 'error')
    ask(world, ({ running: 'start', stopped: 'stop', deleted: 'delete' } as const)[server.want.state]);
  const sick = server.want.state === 'running' ? sickServices(world) : [];
  if (sick.length === 0) return;
  // A service that failed for good takes down those that depend on it, never the workspace; it says why.
  const verdicts = serviceVerdicts(server.want, world.node.observe(), world.nowMs);
  for (const name of sick) assert.ok(verdicts.find((one) => one.name === name)?.error, `${name} says what is wrong`);
  ask(world, 'stop');
  ask(world, 'start');
}

test('whatever happens, it becomes what was asked for once the world is calm, and nothing is doubled or left', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 120, size: 'max' }), (events) => {
      const world = new ModelWorld();
      for (const event of events) world.happen(event);
      comesToRest(world);
      const { state, status } = world.server.want;
      if (state === 'deleted') return assert.deepEqual([world.server.isGone, world.node.instance], [true, 'absent']);
      assert.equal(status, state, world.server.path.join(' → '));
      if (state === 'stopped') return assert.notEqual(world.node.instance, 'running');
      assert.deepEqual(sickServices(world), []);
      assert.ok(world.node.hooksDone.includes('post_start'));
    }),
    { numRuns: 1_500 },
  );
});

test('whatever happens, a deletion that is asked for leaves nothing', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 80, size: 'max' }), (events) => {
      const world = new ModelWorld();
      for (const event of events) world.happen(event);
      ask(world, 'delete');
      if (!world.server.isGone) ask(world, 'delete');
      assert.equal(world.server.isGone, true, world.server.path.join(' → '));
      // What is still on its way, from before, brings nothing back.
      world.happen({ kind: 'goes_well', turns: 50 });
    }),
    { numRuns: 500 },
  );
});
