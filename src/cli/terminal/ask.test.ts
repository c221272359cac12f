import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { CliContext } from '../context.ts';
import { askYesNo } from './ask.ts';
import { createOutput } from './output.ts';

test('a question is legible on a terminal that does not know its width', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 0, rows: 0 });
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
  let shown = '';
  terminal.on('data', (text: Buffer) => (shown += text.toString()));
  const interrupt = new AbortController();
  const context = { stdin, stderr: createOutput(terminal, {}), interrupt: interrupt.signal };
  const answer = askYesNo(context as unknown as CliContext, 'Delete shop and its files?', { initial: 'no' });
  stdin.write('y');
  assert.equal(await answer, true);
  assert.match(shown, /Delete shop and its files\?/);
});
