/** What must hold of a step when it is begun, whatever the plan thought. */
import assert from 'node:assert/strict';
import type { AgentCommand, Observation } from '../../../src/contract/control-protocol.ts';
import type { ErrorCode } from '../../../src/contract/errors.ts';
import { stepKey } from '../../../src/core/plan/attempts.ts';
import { isHealthy } from '../../../src/core/plan/health.ts';
import type { Done } from '../../../src/core/plan/plan-types.ts';
import { specs } from './model-node.ts';

/** What a repository or a request caused would be the same at the next try. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'clone_failed',
  'config_invalid',
  'dependency_cycle',
  'disk_full',
  'hook_failed',
  'image_not_found',
  'package_install_failed',
]);
const stopHooks: readonly string[] = ['pre_stop', 'stop', 'down'];
const mostFailuresInARow = 6;
const shortestPauseMs = 1_000;

type Begun = {
  readonly command: AgentCommand;
  /** What is open, and what was done, of the same generation. */
  readonly open: readonly AgentCommand[];
  readonly done: readonly Done[];
  readonly observation: Observation | null;
  readonly nowMs: number;
};

export function checkStep({ command, open, done, observation, nowMs }: Begun): void {
  const key = stepKey(command);
  assert.ok(!open.some((one) => stepKey(one) === key), `${key} is not asked for while it is under way`);
  const tries = done.filter((one) => stepKey(one.command) === key);
  const failures = tries.slice(tries.findLastIndex(({ error }) => error === null) + 1);
  assert.ok(failures.length < mostFailuresInARow, `${key} is given up in the end`);
  const last = failures.at(-1);
  const isHookOfStop = command.do === 'run_hook' && stopHooks.includes(command.hook);
  if (isHookOfStop) assert.equal(tries.length, 0, `${key} has one try in each stop`);
  if (last?.error) {
    assert.ok(!lasting.has(last.error.error), `${key} is not tried again after ${last.error.error}`);
    assert.ok(nowMs >= last.endedAt + shortestPauseMs, `${key} is not tried again at once`);
  }
  if (command.do === 'start_service') checkDependencies(command.service.depends_on, observation);
}

function checkDependencies(needed: readonly string[], observation: Observation | null): void {
  for (const name of needed) {
    const spec = specs.find((one) => one.name === name);
    const report = observation?.services.find((one) => one.name === name);
    assert.ok(spec && report && isHealthy(spec, report), `${name} is healthy before what depends on it starts`);
  }
}
