import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Step } from '../workspace/step-rows.ts';
import type { Output } from './output.ts';
import { createStepDisplay, formatStep } from './step-display.ts';

function outputOf(columns?: number): { output: Output; take: () => string } {
  let text = '';
  const output: Output = {
    write: (chunk) => void (text += chunk),
    stream: new PassThrough(),
    isTerminal: columns !== undefined,
    hasColor: false,
    columns: () => columns ?? Number.POSITIVE_INFINITY,
  };
  const take = (): string => {
    const taken = text;
    text = '';
    return taken;
  };
  return { output, take };
}

const base: Step = { key: 'a', title: 'Clone', state: 'running', startedMs: 0, endedMs: null, detail: null };

test('a step has a mark, its time and what it does', () => {
  const { output } = outputOf();
  const formatted = (step: Partial<Step>): string => formatStep({ ...base, ...step }, { nowMs: 1500, output });
  assert.equal(formatted({}), '⠴ Clone  1.5 s');
  assert.equal(formatted({ state: 'done', endedMs: 400 }), '✔ Clone  0.4 s');
  assert.equal(formatted({ state: 'failed', endedMs: 400, detail: 'no\n  way' }), '✖ Clone  0.4 s  no way');
  assert.equal(formatted({ state: 'warned', endedMs: 400 }), '! Clone  0.4 s');
});

test('a narrow terminal cuts the detail', () => {
  const { output } = outputOf(20);
  assert.equal(formatStep({ ...base, detail: 'receiving objects' }, { nowMs: 0, output }), '⠋ Clone  0.0 s  re…');
});

test('elsewhere than on a terminal a step is a line when it has ended', () => {
  const { output, take } = outputOf();
  let steps: Step[] = [base];
  const display = createStepDisplay({ steps: () => steps, output, now: () => 1000 });
  display.update();
  assert.equal(take(), '');
  steps = [
    { ...base, state: 'done', endedMs: 1000 },
    { ...base, key: 'b', title: 'Install' },
  ];
  display.update();
  display.update();
  assert.equal(take(), '✔ Clone  1.0 s\n');
  display.stop();
  assert.equal(take(), '');
});

test('on a terminal running steps are drawn over and ended ones are left alone', () => {
  const { output, take } = outputOf(80);
  let steps: Step[] = [base, { ...base, key: 'b', title: 'Install' }];
  const display = createStepDisplay({ steps: () => steps, output, now: () => 0 });
  display.update();
  assert.equal(take(), '⠋ Clone  0.0 s\n⠋ Install  0.0 s\n');
  steps = steps.with(0, { ...base, state: 'done', endedMs: 0 });
  display.update();
  assert.equal(take(), '\r\u001B[2A\u001B[0J✔ Clone  0.0 s\n⠋ Install  0.0 s\n');
  steps = steps.with(1, { ...base, title: 'Install', state: 'done', endedMs: 0 });
  display.stop();
  assert.equal(take(), '\r\u001B[1A\u001B[0J✔ Install  0.0 s\n');
});
