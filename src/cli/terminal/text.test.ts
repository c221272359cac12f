import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { formatAgo, formatBytes, formatDuration, plural, shellQuote } from './format.ts';
import { createOutput } from './output.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import { createRedraw } from './redraw.ts';
import { formatFields, formatTable } from './table.ts';
import { padEnd, textWidth, truncate } from './text-width.ts';

function testOutput(options: { columns?: number; hasColor?: boolean } = {}): { output: Output; text: () => string } {
  const { columns, hasColor = false } = options;
  let text = '';
  const output: Output = {
    write: (chunk) => void (text += chunk),
    stream: new PassThrough(),
    isTerminal: columns !== undefined,
    hasColor,
    columns: () => columns ?? Number.POSITIVE_INFINITY,
  };
  return { output, text: () => text };
}

const durations: readonly [ms: number, text: string][] = [
  [-5, '0.0 s'],
  [449, '0.4 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_400, '59 s'],
  [185_000, '3 min 05 s'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
];
for (const [ms, text] of durations) test(`${ms} ms is ${text}`, () => assert.equal(formatDuration(ms), text));

const nowMs = Date.parse('2026-01-17T10:00:00Z');
const ages: readonly [time: string, text: string][] = [
  ['2026-01-17T10:00:30Z', 'just now'],
  ['2026-01-17T09:59:48Z', '12 s ago'],
  ['2026-01-17T09:57:00Z', '3 min ago'],
  ['2026-01-17T07:10:00Z', '2 h ago'],
  ['2026-01-12T10:00:00Z', '5 d ago'],
];
for (const [time, text] of ages) test(`${time} was ${text}`, () => assert.equal(formatAgo(time, nowMs), text));

const sizes: readonly [bytes: number, text: string][] = [
  [512, '512 B'],
  [1536, '1.5 KiB'],
  [2048, '2 KiB'],
  [20 * 2 ** 30, '20 GiB'],
  [5000 * 2 ** 40, '5000 TiB'],
];
for (const [bytes, text] of sizes) test(`${bytes} bytes are ${text}`, () => assert.equal(formatBytes(bytes), text));

test('one and many', () => {
  assert.equal(plural(1, 'file'), '1 file');
  assert.equal(plural(2, 'stash', 'stashes'), '2 stashes');
});

test('arguments are quoted for a shell when they must be', () => {
  assert.equal(shellQuote('/usr/bin/a-b_c.d:e'), '/usr/bin/a-b_c.d:e');
  assert.equal(shellQuote("it's"), `'it'\\''s'`);
  assert.equal(shellQuote(''), "''");
});

test('width counts what is seen', () => {
  assert.equal(textWidth('\u001B[31mred\u001B[39m'), 3);
  assert.equal(textWidth('日本'), 4);
  assert.equal(textWidth('🎉'), 2);
  assert.equal(textWidth('e\u0301\u200B'), 1);
  assert.equal(padEnd('日', 4), '日  ');
  assert.equal(padEnd('long', 2), 'long');
});

test('what is too wide is cut with its colours', () => {
  assert.equal(truncate('short', 5), 'short');
  assert.equal(truncate('\u001B[31mlonger\u001B[39m', 5), 'long…');
  assert.equal(truncate('日本語', 4), '日…');
});

test('a table has columns as wide as their cells, and ends at the edge', () => {
  const rows = [
    ['web', 'running'],
    ['database', 'off', 'x'],
  ];
  assert.equal(
    formatTable(['NAME', 'STATUS'], rows, testOutput().output),
    'NAME      STATUS\nweb       running\ndatabase  off      x\n',
  );
  assert.equal(formatTable(['NAME', 'STATUS'], [['web']], testOutput({ columns: 8 }).output), 'NAME  S…\nweb\n');
});

test('fields have their values under each other', () => {
  const fields = [
    ['A', 'one\ntwo'],
    ['Long', 'three'],
  ] as const;
  assert.equal(formatFields(fields, testOutput().output), 'A     one\n      two\nLong  three\n');
});

test('colours only where they are shown', () => {
  assert.equal(paint({ hasColor: false }).red('x'), 'x');
  assert.equal(paint({ hasColor: true }).bold('x'), '\u001B[1mx\u001B[22m');
});

test('an output is what its stream is', () => {
  const stream = new PassThrough();
  const plain = createOutput(stream, {});
  assert.deepEqual([plain.isTerminal, plain.hasColor, plain.columns()], [false, false, Number.POSITIVE_INFINITY]);
  plain.write('text');
  assert.equal(String(stream.read()), 'text');
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  assert.equal(createOutput(terminal, {}).columns(), 80);
  assert.equal(createOutput(Object.assign(terminal, { columns: 120 }), {}).columns(), 120);
  for (const [env, hasColor] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
    [{ TERM: 'dumb' }, false],
  ] as const) {
    assert.equal(createOutput(terminal, env).hasColor, hasColor);
  }
});

test('a text is drawn over the last one on a terminal, and after it elsewhere', () => {
  const terminal = testOutput({ columns: 10 });
  const redraw = createRedraw(terminal.output);
  for (const text of ['one\ntwo\n', 'one\ntwo\n', 'three is too long\n']) redraw(text);
  assert.equal(terminal.text(), 'one\ntwo\n\r\u001B[2A\u001B[0Jthree is …\n');
  const file = testOutput();
  const append = createRedraw(file.output);
  for (const text of ['one\n', 'two\n']) append(text);
  assert.equal(file.text(), 'one\ntwo\n');
});
