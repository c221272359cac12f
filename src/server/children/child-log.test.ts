import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { capLog, openLog } from './child-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-child-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a process goes on writing at the beginning of a log that was put aside', () => {
  const file = join(folder, 'agent.log');
  const output = openLog(file);
  try {
    for (const round of ['first', 'second', 'third']) {
      writeSync(output, `${round}\n`);
      capLog(file, { maxBytes: 5 });
    }
    writeSync(output, 'now\n');
    capLog(file, { maxBytes: 5 });
  } finally {
    closeSync(output);
  }
  assert.deepEqual(readdirSync(folder).sort(), ['agent.log', 'agent.log.1']);
  assert.equal(readFileSync(file, 'utf8'), 'now\n');
  assert.equal(readFileSync(`${file}.1`, 'utf8'), 'third\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a log that is not there is none that is too long', () => {
  capLog(join(folder, 'none.log'));
  assert.deepEqual(readdirSync(folder), []);
});
