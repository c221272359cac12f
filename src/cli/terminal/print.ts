import type { CliContext } from '../context.ts';
import type { Output } from './output.ts';

/** The one JSON value of `--json`. */
export function printJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One value for programs or its text for people, as was asked for. */
export function printResult<T>(
  context: Pick<CliContext, 'stdout'>,
  value: T,
  options: { json: boolean; text: (value: T) => string },
): void {
  if (options.json) printJson(context.stdout, value);
  else context.stdout.write(options.text(value));
}
