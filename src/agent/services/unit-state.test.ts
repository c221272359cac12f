import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseUnit } from './unit-state.ts';

it('a unit is read from what systemctl prints', () => {
  const fields = [
    'MainPID=412',
    'ExecMainStartTimestamp=Mon 2026-11-23 17:11:58.123456 UTC',
    'ExecMainCode=2',
    'ExecMainStatus=9',
    'NRestarts=3',
    'Result=signal',
    'Id=nexus-web.service',
    'ActiveState=activating',
    'SubState=auto-restart',
  ];
  assert.deepEqual(parseUnit(fields), {
    name: 'web',
    active: 'activating',
    sub: 'auto-restart',
    result: 'signal',
    restarts: 3,
    mainPid: 412,
    exitKind: 2,
    exitStatus: 9,
    startedAt: Date.parse('2026-11-23T17:11:58.123Z'),
  });
});

it('a unit that never ran has no start', () => {
  const unit = parseUnit(['Id=nexus-a.b.service', 'ExecMainStartTimestamp=']);
  assert.equal(unit.startedAt, null);
  assert.equal(unit.restarts, 0);
  assert.equal(
    parseUnit(['ExecMainStartTimestamp=Mon 2026-11-23 17:11:58 UTC']).startedAt,
    Date.parse('2026-11-23T17:11:58Z'),
  );
});
