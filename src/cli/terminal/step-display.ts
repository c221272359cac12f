/**
 * Shows a list of steps: on a terminal live, with elapsed times; elsewhere one line a step, when it has ended.
 */
import type { Step, StepState } from '../workspace/step-rows.ts';
import { formatDuration } from './format.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import type { Style } from './paint.ts';
import { truncate } from './text-width.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const frameMs = 100;

const marks: Readonly<Record<Exclude<StepState, 'running'>, readonly [mark: string, style: Style]>> = {
  done: ['✔', 'green'],
  failed: ['✖', 'red'],
  warned: ['!', 'yellow'],
};

export type StepDisplay = {
  /** Shows what has changed. */
  update(): void;
  /** Shows the last state and leaves it standing. */
  stop(): void;
};

export type StepDisplayOptions = {
  readonly steps: () => readonly Step[];
  readonly output: Output;
  readonly now: () => number;
};

export function formatStep(step: Step, options: { nowMs: number; output: Output }): string {
  const { nowMs, output } = options;
  const color = paint(output);
  const elapsedMs = (step.endedMs ?? nowMs) - step.startedMs;
  const [mark, style] =
    step.state === 'running'
      ? ([frames[Math.floor(nowMs / frameMs) % frames.length] ?? '⠋', 'cyan'] as const)
      : marks[step.state];
  const detail = step.detail === null ? '' : `  ${step.detail.replaceAll(/\s+/g, ' ')}`;
  // The time stands before the detail, which is what is cut off on a narrow terminal.
  // A warning of its own is no step, and took no time.
  const elapsed = step.state === 'warned' && elapsedMs === 0 ? '' : `  ${formatDuration(elapsedMs)}`;
  const plain = truncate(`${step.title}${elapsed}${detail}`, output.columns() - 3);
  const rest = plain.slice(step.title.length);
  return `${color[style](mark)} ${step.title.slice(0, plain.length)}${color.dim(rest)}`;
}

export function createStepDisplay(options: StepDisplayOptions): StepDisplay {
  return options.output.isTerminal ? createLiveDisplay(options) : createPlainDisplay(options);
}

function createPlainDisplay({ steps, output, now }: StepDisplayOptions): StepDisplay {
  const told = new Set<number>();
  function update(): void {
    for (const [index, step] of steps().entries()) {
      if (step.endedMs === null || told.has(index)) continue;
      told.add(index);
      output.write(`${formatStep(step, { nowMs: now(), output })}\n`);
    }
  }
  return { update, stop: update };
}

function createLiveDisplay({ steps, output, now }: StepDisplayOptions): StepDisplay {
  /** Steps at the top that have ended are written once; only those after them are written over and over. */
  let settled = 0;
  let shown = 0;
  function update(): void {
    const pending = steps().slice(settled);
    const lines = pending.map((step) => `${formatStep(step, { nowMs: now(), output })}\n`);
    // From the first column, for the terminal may have echoed a ^C.
    const back = shown === 0 ? '' : `\r\u001B[${shown}A\u001B[0J`;
    output.write(`${back}${lines.join('')}`);
    const firstRunning = pending.findIndex((step) => step.endedMs === null);
    const ended = firstRunning === -1 ? pending.length : firstRunning;
    settled += ended;
    shown = lines.length - ended;
  }
  const timer = setInterval(update, frameMs);
  return {
    update,
    stop() {
      clearInterval(timer);
      update();
    },
  };
}
