import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMonitorLine } from './monitor-line.ts';
import { createReportFilter } from './report-changes.ts';
import { createServiceWatch } from './service-watch.ts';
import { parseUnit } from './unit-state.ts';

const webLine =
  'unit\tId=nexus-web.service\tActiveState=active\tSubState=running\tMainPID=7\tExecMainStartTimestamp=Mon 2026-11-23 17:11:58 UTC';

describe('the lines of the monitor', () => {
  it('are units, probes, and signs of life', () => {
    assert.deepEqual(parseMonitorLine('beat'), null);
    const unit = parseMonitorLine(webLine);
    assert.ok(unit && 'unit' in unit && unit.unit.mainPid === 7);
    assert.deepEqual(parseMonitorLine('probe\tweb\t7\t1700000000000\t5\tfailed\tHTTP 500\tmore'), {
      probe: { service: 'web', pid: 7, at: 1_700_000_000_000, retries: 5, outcome: 'failed', detail: 'HTTP 500 more' },
    });
    for (const outcome of ['ok', 'timeout', 'odd']) {
      const line = parseMonitorLine(`probe\tweb\t7\t1\t5\t${outcome}`);
      assert.ok(line && 'probe' in line);
      assert.deepEqual([line.probe.outcome, line.probe.detail], [outcome === 'odd' ? 'failed' : outcome, null]);
    }
    assert.equal(parseMonitorLine('probe'), null, 'without its time');
  });
});

describe('the watch of a workspace', () => {
  it('puts units and probes together', () => {
    const watch = createServiceWatch();
    assert.ok(watch.isComplete());
    watch.takeLine(webLine);
    watch.takeLine('unit\tId=nexus-api.service\tActiveState=inactive');
    watch.takeLine('beat');
    assert.ok(!watch.isComplete());
    watch.takeLine('probe\tweb\t7\t1700000000000\t5\tok');
    assert.ok(watch.isComplete());
    assert.deepEqual(
      watch.reports().map(({ name, state, health }) => [name, state, health]),
      [
        ['api', 'stopped', 'unknown'],
        ['web', 'running', 'healthy'],
      ],
    );
  });

  it('has only those units that a command saw', () => {
    const watch = createServiceWatch();
    watch.takeLine(webLine);
    watch.takeUnits([parseUnit(['Id=nexus-api.service', 'ActiveState=active', 'MainPID=8'])]);
    assert.deepEqual(
      watch.reports().map(({ name }) => name),
      ['api'],
    );
  });
});

describe('what is told of services', () => {
  const report = (health: 'healthy' | 'unhealthy', checked: string) => [
    { name: 'web', state: 'running' as const, health, detail: null, last_check: checked, started_at: null, deaths: 0 },
  ];
  it('is every change, and the time of the last check every 5 s', () => {
    const told: string[] = [];
    const tell = createReportFilter(([first]) => told.push(`${first?.health} ${first?.last_check}`));
    tell(report('healthy', 'a'), 0);
    tell(report('healthy', 'a'), 60_000);
    tell(report('healthy', 'b'), 1000);
    tell(report('unhealthy', 'c'), 2000);
    tell(report('unhealthy', 'd'), 6999);
    tell(report('unhealthy', 'e'), 7000);
    assert.deepEqual(told, ['healthy a', 'unhealthy c', 'unhealthy e']);
  });
});
