import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatEntry, journalArguments } from './log-lines.ts';

describe('what journalctl is asked', () => {
  it('is the output of one source and its deaths', () => {
    const args = journalArguments({ source: 'web', lines: 5, follow: true }).join(' ');
    assert.match(
      args,
      /--lines 5 --follow _SYSTEMD_UNIT=nexus-web\.service \+ _SYSTEMD_UNIT=nexus\.hook-web\.service \+ _PID=1 MESSAGE_ID=\w+ UNIT=nexus-web\.service$/,
    );
  });
  it('is what came after a place', () => {
    const args = journalArguments({ lines: 3, follow: true, after: 's=6c;i=5' }).join(' ');
    assert.match(args, / --lines all --after-cursor s=6c;i=5 --follow /);
  });
  it('is that of all', () => {
    const args = journalArguments({ lines: 0, follow: false }).join(' ');
    assert.match(args, /--lines 0 SYSLOG_FACILITY=19 \+ _PID=1 MESSAGE_ID=\w+$/);
  });
});

const entries: readonly { name: string; entry: unknown; named?: string | null; plain?: string }[] = [
  {
    name: 'a service',
    entry: { MESSAGE: 'hello', _SYSTEMD_UNIT: 'nexus-web.service' },
    named: 'web | hello\n',
    plain: 'hello\n',
  },
  {
    name: 'a hook',
    entry: { MESSAGE: 'hello', _SYSTEMD_UNIT: 'nexus.hook-pre_start.service' },
    named: 'pre_start | hello\n',
  },
  { name: 'the clone', entry: { MESSAGE: 'hello', _SYSTEMD_UNIT: 'nexus.clone.service' }, named: 'clone | hello\n' },
  {
    name: 'a death',
    entry: { MESSAGE: 'killed', _SYSTEMD_UNIT: 'init.scope', UNIT: 'nexus-web.service' },
    named: 'web | killed\n',
  },
  {
    name: 'the end of a clone',
    entry: { MESSAGE: 'Main process exited', _SYSTEMD_UNIT: 'init.scope', UNIT: 'nexus.clone.service' },
    named: null,
  },
  {
    name: 'the end of a hook',
    entry: { MESSAGE: 'Main process exited', _SYSTEMD_UNIT: 'init.scope', UNIT: 'nexus.hook-up.service' },
    named: null,
  },
  {
    name: 'bytes',
    entry: { MESSAGE: [27, 91, 51, 49, 109, 233], _SYSTEMD_UNIT: 'nexus-web.service' },
    plain: '\x1b[31m\xe9\n',
  },
  { name: 'an empty line', entry: { MESSAGE: null, _SYSTEMD_UNIT: 'nexus-web.service' }, plain: '\n' },
  { name: 'no message', entry: { _SYSTEMD_UNIT: 'nexus-web.service' }, plain: '\n' },
  { name: "somebody else's", entry: { MESSAGE: 'x', UNIT: 'ssh.service' }, named: null },
  { name: 'no unit', entry: { MESSAGE: 'x' }, named: null },
  { name: 'what is no entry', entry: { MESSAGE: 5 }, named: null },
];
describe('an entry of the journal', () => {
  for (const { name, entry, named, plain } of entries) {
    it(name, () => {
      const text = (options: { named: boolean }) =>
        formatEntry(JSON.stringify(entry), { ...options, placed: false })?.toString('latin1') ?? null;
      if (named !== undefined) assert.equal(text({ named: true }), named);
      if (plain !== undefined) assert.equal(text({ named: false }), plain);
    });
  }
  it('that is not JSON is left out', () => assert.equal(formatEntry('{', { named: true, placed: false }), null));
  it('has its place before it when that is asked for', () => {
    const entry = { MESSAGE: 'hello', _SYSTEMD_UNIT: 'nexus-web.service', __CURSOR: 's=6c;i=5' };
    const text = (one: object) => formatEntry(JSON.stringify(one), { named: true, placed: true })?.toString();
    assert.equal(text(entry), '\u001Es=6c;i=5\tweb | hello\n');
    assert.equal(text({ ...entry, __CURSOR: 'what is none' }), 'web | hello\n');
  });
});
