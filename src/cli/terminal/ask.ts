import type { CliContext } from '../context.ts';
import { interrupted } from '../cli-error.ts';
import type { Output } from './output.ts';

/**
 * A question with yes or no for an answer. Without a terminal nothing is asked: `undefined`. Ctrl-C is an interrupt.
 */
export async function askYesNo(
  context: CliContext,
  question: string,
  options: { initial: 'yes' | 'no' },
): Promise<boolean | undefined> {
  if (context.stdin.isTTY !== true || !context.stderr.isTerminal) return undefined;
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({
    message: question,
    initialValue: options.initial === 'yes',
    input: context.stdin,
    output: withWidth(context.stderr),
    signal: context.interrupt,
  });
  if (isCancel(answer)) throw interrupted();
  return answer;
}

/** A terminal that does not know its width says 0, and a question would be broken after each letter. */
function withWidth(output: Output): Output['stream'] {
  const { stream } = output;
  return (stream as { columns?: number }).columns === 0
    ? Object.defineProperty(stream, 'columns', { value: output.columns(), configurable: true, writable: true })
    : stream;
}
