import { Writable } from 'node:stream';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../terminal/print.ts';
import { runExecSession } from '../workspace/exec-session.ts';
import type { ExecOptions } from '../workspace/exec-session.ts';
import { called, connectToWorkspace, nameArgument } from '../workspace/workspace-command.ts';

export const workspaceExec = defineCommand({
  description: 'Runs a command in the repository of a workspace, as dev, and ends with its exit code.',
  examples: [
    'nexus workspace exec my-project -- npm test',
    'nexus workspace exec my-project --tty -- bash -l',
    'nexus workspace exec my-project --json -- git rev-parse HEAD',
    'tar c . | nexus workspace exec my-project --stdin -- tar x',
  ],
  configure(command) {
    command
      .argument(...nameArgument)
      .argument('[command...]', 'the command, after --')
      .option('-i, --stdin', 'give it the input of this command')
      .option('-t, --tty', 'give it a terminal, and the input')
      .option('--json', 'print one JSON value when it has ended: exit_code, stdout, stderr');
  },
  parse(typed) {
    const [name, ...words] = typed.operands;
    const command = [...words, ...(typed.afterDashes ?? [])];
    if (command.length === 0)
      throw usageError('Say what to run, after --.', {
        next: `nexus workspace exec ${name ?? 'my-project'} -- git status`,
      });
    const options = {
      name,
      command,
      stdin: flagOption(typed, 'stdin'),
      tty: flagOption(typed, 'tty'),
      json: flagOption(typed, 'json'),
    };
    if (options.json && options.tty)
      throw usageError('--json prints what is no terminal, so it does not go with --tty.');
    return options;
  },
  failure: ({ name, command }) => `Could not run ${command[0]} in ${called(name)}`,
  interrupt: 'own',
  async run({ name, command, stdin, tty, json }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    const [stdout, stderr] = [new KeptText(), new KeptText()];
    const options: ExecOptions = {
      workspaceId: workspace.workspace_id,
      command,
      ...(json ? { stdout, stderr } : { stdout: context.stdout.stream, stderr: context.stderr.stream }),
      signal: context.interrupt,
      ...(stdin || tty ? { stdin: context.stdin } : {}),
      ...(tty ? { terminal: terminalOf(context) } : {}),
    };
    const isRaw = tty && context.stdin.isTTY === true;
    if (isRaw) context.stdin.setRawMode?.(true);
    try {
      const exitCode = await runExecSession(client, options);
      if (json) printJson(context.stdout, { exit_code: exitCode, stdout: stdout.text(), stderr: stderr.text() });
      return exitCode;
    } finally {
      if (isRaw) context.stdin.setRawMode?.(false);
      context.stdin.destroy();
    }
  },
});

/** What is written to it, until the command has ended. */
class KeptText extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

type Terminal = NonNullable<ExecOptions['terminal']>;

/** This terminal's size, now and whenever it changes; of none, the usual one. */
function terminalOf(context: CliContext): Terminal {
  const stream = context.stdout.stream as NodeJS.WriteStream;
  const size = () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 });
  return {
    ...size(),
    type: context.env['TERM'] ?? 'xterm-256color',
    onResize(listener) {
      const onResize = (): void => listener(size());
      stream.on('resize', onResize);
      return () => void stream.off('resize', onResize);
    },
  };
}
