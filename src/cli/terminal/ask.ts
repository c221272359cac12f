import type { CliContext } from '../context.ts';
import { interrupted } from '../cli-error.ts';

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
    output: context.stderr.stream,
    signal: context.interrupt,
  });
  if (isCancel(answer)) throw interrupted();
  return answer;
}
