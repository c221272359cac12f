import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceReport } from '../../contract/control-protocol.ts';
import { addProbe, exitText, reportService, startWindowMs, type ProbeHistory, type ProbeResult } from './health.ts';
import type { UnitState } from './unit-state.ts';

const startedAt = Date.parse('2026-01-01T00:00:00Z');
const running: UnitState = {
  name: 'web',
  active: 'active',
  sub: 'running',
  result: 'success',
  restarts: 0,
  mainPid: 10,
  exitKind: 0,
  exitStatus: 0,
  startedAt,
};

/** `+`: ok, `-`: failed, `t`: timed out; one a second, the first after `fromMs`. */
function probes(outcomes: string, { fromMs = 1000, pid = 10, retries = 3 } = {}): ProbeHistory | undefined {
  let history: ProbeHistory | undefined;
  outcomes.split('').forEach((symbol, index) => {
    const outcome = symbol === '+' ? 'ok' : symbol === 't' ? 'timeout' : 'failed';
    const detail = outcome === 'ok' ? null : `probe ${index}`;
    const result: ProbeResult = {
      service: 'web',
      pid,
      at: startedAt + fromMs + index * 1000,
      retries,
      outcome,
      detail,
    };
    history = addProbe(history, result);
  });
  return history;
}

const cases: readonly {
  name: string;
  unit?: Partial<UnitState>;
  probes?: ProbeHistory | undefined;
  expected: Partial<ServiceReport>;
}[] = [
  {
    name: 'no probe yet',
    expected: {
      state: 'starting',
      health: 'unknown',
      detail: null,
      last_check: null,
      started_at: '2026-01-01T00:00:00.000Z',
    },
  },
  {
    name: 'failing while it starts',
    probes: probes('---'),
    expected: { state: 'starting', health: 'unknown', detail: 'probe 2' },
  },
  {
    name: 'healthy',
    probes: probes('-+'),
    expected: { state: 'running', health: 'healthy', detail: null, last_check: '2026-01-01T00:00:02.000Z' },
  },
  { name: 'healthy, with a failure or two', probes: probes('+--'), expected: { state: 'running', health: 'healthy' } },
  {
    name: 'unhealthy after its retries',
    probes: probes('+---'),
    expected: { state: 'running', health: 'unhealthy', detail: 'probe 3' },
  },
  {
    name: 'timed out after its retries',
    probes: probes('+--t'),
    expected: { state: 'running', health: 'timeout', detail: 'probe 3' },
  },
  { name: 'healthy again', probes: probes('+---+'), expected: { state: 'running', health: 'healthy' } },
  {
    name: 'never healthy, and its time is over',
    probes: probes('---', { fromMs: startWindowMs }),
    expected: { state: 'running', health: 'unhealthy' },
  },
  {
    name: 'one failure of a service that has run for long',
    probes: probes('-', { fromMs: 3_600_000 }),
    expected: { state: 'running', health: 'unknown' },
  },
  {
    name: 'probes of the process before',
    probes: probes('+', { pid: 9 }),
    expected: { state: 'starting', health: 'unknown' },
  },
  {
    name: 'no time of its start',
    unit: { startedAt: null },
    probes: probes('---'),
    expected: { state: 'running', health: 'unhealthy', started_at: null },
  },
  {
    name: 'reloading',
    unit: { active: 'reloading' },
    probes: probes('+'),
    expected: { state: 'running', health: 'healthy' },
  },
  {
    name: 'before its first start',
    unit: { active: 'activating', sub: 'start-pre', mainPid: 0 },
    expected: { state: 'starting', health: 'unknown' },
  },
  {
    name: 'dead, waiting for its restart',
    unit: { active: 'activating', sub: 'auto-restart', mainPid: 0, exitKind: 1, exitStatus: 7, restarts: 1 },
    expected: {
      state: 'restarting',
      health: 'unhealthy',
      detail: 'it ended with exit code 7',
      deaths: 2,
      started_at: null,
    },
  },
  {
    name: 'waiting longer',
    unit: { active: 'activating', sub: 'start-pre', mainPid: 0, restarts: 2 },
    expected: { state: 'restarting', detail: 'it died and waits for its next start', deaths: 2 },
  },
  {
    name: 'dead, its children being ended',
    unit: { active: 'deactivating', sub: 'stop-sigterm', mainPid: 0, exitKind: 2, exitStatus: 9 },
    expected: { state: 'restarting', detail: 'it was killed by signal 9' },
  },
  {
    name: 'being stopped',
    unit: { active: 'deactivating' },
    probes: probes('+'),
    expected: { state: 'running', health: 'healthy' },
  },
  {
    name: 'stopped',
    unit: { active: 'inactive', sub: 'dead', mainPid: 0 },
    expected: { state: 'stopped', health: 'unknown', detail: null, deaths: 0 },
  },
  {
    name: 'given up',
    unit: { active: 'failed', sub: 'failed', mainPid: 0, exitKind: 1, exitStatus: 1, restarts: 5 },
    expected: {
      state: 'failed',
      health: 'unhealthy',
      detail: 'it died 5 times in 2 minutes, the last time: it ended with exit code 1',
      deaths: 5,
    },
  },
  {
    name: 'failed at once',
    unit: { active: 'failed', sub: 'failed', mainPid: 0, exitKind: 3, exitStatus: 11 },
    expected: { state: 'failed', detail: 'it was killed by signal 11', deaths: 1 },
  },
];

describe('a service is reported', () => {
  for (const { name, unit, probes: history, expected } of cases) {
    it(name, () => {
      const report = reportService({ ...running, ...unit }, history);
      assert.deepEqual({ ...report, ...expected }, report);
    });
  }
});

const ends: readonly [unit: Partial<UnitState>, text: string][] = [
  [{ exitKind: 1, exitStatus: 3 }, 'it ended with exit code 3'],
  [{ exitKind: 1, exitStatus: 200 }, 'its folder does not exist'],
  [{ exitKind: 2, exitStatus: 15 }, 'it was killed by signal 15'],
  [{ result: 'resources' }, 'it did not start (resources)'],
];
for (const [unit, text] of ends) {
  it(text, () => assert.equal(exitText({ ...running, ...unit }), text));
}
