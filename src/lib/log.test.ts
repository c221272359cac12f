import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createLogger } from './log.ts';

test('writes JSON lines at once, of the level and above, with an error and its cause', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-log-'));
  const fd = openSync(join(folder, 'log'), 'w');
  try {
    const log = createLogger({ level: 'info', name: 'agent', fd });
    log.debug('not this');
    log.error({ err: new Error('outer', { cause: new Error('inner') }), node: 'node-1' }, 'that');
    const [line, ...more] = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    assert.equal(more.length, 0);
    const entry = JSON.parse(line ?? '') as Record<string, unknown>;
    assert.equal(entry['level'], 'error');
    assert.equal(entry['name'], 'agent');
    assert.equal(entry['node'], 'node-1');
    assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT/);
    assert.match(JSON.stringify(entry['err']), /inner/);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});

test('goes to stderr by default', () => {
  const log = createLogger({ level: 'error', name: 'quiet' });
  log.info('nothing of this is seen');
  assert.equal(log.level, 'error');
});
