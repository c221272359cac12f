import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CommandAnswer } from '../contract/control-protocol.ts';
import { NexusError } from '../contract/errors.ts';
import { openJournal } from './journal.ts';

function failed(id: string): CommandAnswer {
  return { type: 'answer', id, ok: false, error: new NexusError('timeout', { what: id, seconds: 1 }).toBody() };
}

describe('journal', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexus-journal-'));
    file = join(folder, 'state/journal');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const keep = (journal: ReturnType<typeof openJournal>, id: string, workspaceId = 'ws-1') =>
    journal.keep({ workspaceId, answer: failed(id) });
  const lines = () => readFileSync(file, 'utf8').split('\n').filter(Boolean);

  it('keeps answers over a restart, until they are forgotten', () => {
    const journal = openJournal(file);
    keep(journal, 'a');
    keep(journal, 'b');
    journal.forget(['a', 'unknown']);
    const again = openJournal(file);
    assert.equal(again.answerTo('a'), undefined);
    assert.deepEqual(again.answerTo('b'), failed('b'));
    assert.equal(lines().length, 1, 'what says nothing any more is left out');
  });

  it('survives a line that was cut off', () => {
    keep(openJournal(file), 'a');
    appendFileSync(file, '{"workspace_id":"ws-1","answ');
    assert.deepEqual(openJournal(file).answerTo('a'), failed('a'));
  });

  it('forgets what is about a workspace that is gone', () => {
    const journal = openJournal(file);
    keep(journal, 'a', 'ws-1');
    keep(journal, 'b', 'ws-2');
    keep(journal, 'c', 'ws-1');
    journal.forgetWorkspace('ws-1', 'c');
    const again = openJournal(file);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => again.answerTo(id) !== undefined),
      [false, true, true],
    );
  });

  it('does not grow for ever', () => {
    const journal = openJournal(file);
    for (let index = 0; index < 1000; index++) {
      keep(journal, `id-${index}`);
      journal.forget([`id-${index}`]);
    }
    keep(journal, 'last');
    assert.ok(lines().length < 250, String(lines().length));
    assert.ok(openJournal(file).answerTo('last'));
  });

  it('says when it cannot be read', () => {
    mkdirSync(file, { recursive: true });
    assert.throws(() => openJournal(file), { code: 'EISDIR' });
  });
});
