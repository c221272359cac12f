import type { CommandNode } from './command-node.ts';
import type { CliContext } from './context.ts';
import type { PreparedCommand } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findCommand } from './find-command.ts';
import type { FoundCommand } from './find-command.ts';

/** From a command line to an exit code. Nothing is thrown. @param root of all commands */
export async function runCli(root: CommandNode, args: readonly string[], context: CliContext): Promise<number> {
  let title = `Could not run nexus ${args[0] ?? ''}`.trim();
  try {
    const { node, words, rest } = findCommand(root, args);
    if (node.load === undefined) return await showGroup({ node, words, rest }, context);
    title = `Wrong use of ${words}`;
    const [{ parseCommandLine }, definition] = await Promise.all([import('./parse-command-line.ts'), node.load()]);
    const parsed = parseCommandLine(definition, { words, args: rest, stdout: context.stdout });
    if (parsed.kind === 'help') {
      context.stdout.write(parsed.text);
      if (node.children !== undefined) await showCommands(node, context);
      return exitCodes.done;
    }
    title = parsed.prepared.failure;
    return (await runUntilInterrupted(parsed.prepared, context)) ?? exitCodes.done;
  } catch (thrown) {
    const { reportError } = await import('./report-error.ts');
    return reportError(thrown, { title, stderr: context.stderr, debug: context.env['NEXUS_DEBUG'] === '1' });
  }
}

function isHelp(word: string | undefined): boolean {
  return word === undefined || word === '--help' || word === '-h';
}

async function showGroup({ node, words, rest }: FoundCommand, context: CliContext): Promise<number> {
  const [option] = rest;
  const isRoot = words === node.name;
  if (isRoot && (option === '--version' || option === '-V')) {
    context.stdout.write(`nexus ${context.version}\n`);
    return exitCodes.done;
  }
  if (!isHelp(option)) {
    const { usageError } = await import('./cli-error.ts');
    throw usageError(`${words} has no option ${option}.`, { title: `Wrong use of ${words}`, next: `${words} --help` });
  }
  const { groupHelp } = await import('./group-help.ts');
  context.stdout.write(await groupHelp(node, words, context.stdout));
  return exitCodes.done;
}

async function showCommands(node: CommandNode, context: CliContext): Promise<void> {
  const { formatCommands } = await import('./group-help.ts');
  context.stdout.write(`\n${formatCommands(node, context.stdout)}`);
}

async function runUntilInterrupted(prepared: PreparedCommand, context: CliContext): Promise<number | void> {
  if (prepared.interrupt === 'own') return prepared.run(context);
  const { interrupted } = await import('./cli-error.ts');
  const { promise, reject } = Promise.withResolvers<never>();
  const onInterrupt = (): void => reject(interrupted());
  context.interrupt.addEventListener('abort', onInterrupt, { once: true });
  try {
    return await Promise.race([prepared.run(context), promise]);
  } finally {
    context.interrupt.removeEventListener('abort', onInterrupt);
  }
}
