import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import type { ExecHandle, ExecSpec } from '../provider.ts';
import type { EngineClient, Operation } from './engine-client.ts';
import { EngineFailure, fromEngine } from './engine-failure.ts';
import { nothing, receivingSide, sendingSide } from './exec-streams.ts';
import { forgetfulCommands, type OpenCommands } from './open-commands.ts';
import { execMark, signalMarked } from './signal-tree.ts';

/** A command runs for as long as it likes; a dead engine is noticed by its connection. */
const unlimitedMs = 365 * 24 * 3600 * 1000;
const connectTimeoutMs = 10_000;

/**
 * A command inside an instance, over the engine's websockets: one for each stream and one for control.
 * @throws stream_failed when the instance does not run
 */
export async function execInInstance(
  engine: EngineClient,
  name: string,
  spec: ExecSpec,
  open: OpenCommands = forgetfulCommands,
): Promise<ExecHandle> {
  const mark = randomUUID();
  open.begin(mark);
  try {
    const handle = await startExec(engine, name, spec, mark);
    handle.exitCode.then(
      () => open.end(mark),
      () => open.end(mark),
    );
    return handle;
  } catch (thrown) {
    open.end(mark);
    throw thrown;
  }
}

async function startExec(engine: EngineClient, name: string, spec: ExecSpec, mark: string): Promise<ExecHandle> {
  const operation = await beginExec(engine, name, { ...spec, env: { ...spec.env, [execMark]: mark } });
  const { fds } = z.object({ fds: z.record(z.string(), z.string()) }).parse(operation.metadata);
  const socketOf = (fd: string): WebSocket => engine.websocket(operation.id, fds[fd] ?? '');

  const control = socketOf('control');
  const input = socketOf('0');
  const output = spec.terminal ? input : socketOf('1');
  const errors = spec.terminal ? null : socketOf('2');
  const sockets = [control, input, output, ...(errors ? [errors] : [])];
  const stdout = receivingSide(output);
  const stderr = errors ? receivingSide(errors) : { stream: nothing(), ended: Promise.resolve() };
  control.on('message', () => undefined);
  await allOpen(sockets).catch((cause) => {
    for (const socket of sockets) socket.terminate();
    throw new NexusError('stream_failed', { reason: `${name}: the command's streams did not open` }, { cause });
  });

  const exitCode = exitOf(engine, operation, { sockets, ended: [stdout.ended, stderr.ended] });
  // Not everybody waits for it, and an engine that goes away must not end the agent.
  exitCode.catch(() => undefined);
  const signalling = new Set<NodeJS.Signals>();
  return {
    stdin: sendingSide(input, { terminal: spec.terminal !== undefined }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    exitCode,
    resize({ columns, rows }) {
      tell(control, { command: 'window-resize', args: { width: String(columns), height: String(rows) } });
    },
    kill(signal) {
      // As with any process: one that is on its way already is not sent a second time.
      if (signalling.has(signal)) return;
      signalling.add(signal);
      void signalMarked(mark, signal)
        .then((signalled) => {
          if (!signalled) tell(control, { command: 'signal', signal: constants.signals[signal] });
        })
        .finally(() => signalling.delete(signal));
    },
  };
}

/** The whole output of a command that needs no input. */
export async function execToEnd(
  engine: EngineClient,
  name: string,
  spec: ExecSpec & { readonly input?: string | undefined; readonly onLine?: ((line: string) => void) | undefined },
): Promise<{ exitCode: number; output: string[] }> {
  const { input, onLine, ...rest } = spec;
  const handle = await execInInstance(engine, name, rest);
  handle.stdin.end(input ?? '');
  const output: string[] = [];
  const collect = async (stream: Readable): Promise<void> => {
    for await (const line of lines(stream)) {
      output.push(line);
      onLine?.(line);
    }
  };
  await Promise.all([collect(handle.stdout), collect(handle.stderr)]);
  return { exitCode: await handle.exitCode, output };
}

async function* lines(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest) yield rest;
}

function beginExec(engine: EngineClient, name: string, spec: ExecSpec): Promise<Operation> {
  return engine.begin('POST', `/1.0/instances/${name}/exec`, execBody(spec)).catch((thrown) => {
    throw fromEngine(thrown, name, (reason) => new NexusError('stream_failed', { reason: `${name}: ${reason}` }));
  });
}

/**
 * The engine stops reading a terminal as soon as the command has ended, and on a busy machine what it said last was
 * lost. A shell stays for a moment longer; what is typed to interrupt the command does not end it.
 */
const untilRead = ['sh', '-c', 'trap : INT QUIT; "$@"; code=$?; sleep 0.1; exit $code', 'sh'];

function execBody({ command: given, user = 'root', cwd, env, terminal }: ExecSpec): Record<string, unknown> {
  const home = user === 'root' ? '/root' : '/home/dev';
  const command = terminal ? [...untilRead, ...given] : given;
  return {
    // The engine itself knows ids only, and gives none of a user's further groups.
    command: user === 'root' ? command : ['setpriv', '--reuid=dev', '--regid=dev', '--init-groups', '--', ...command],
    cwd: cwd ?? home,
    environment: { HOME: home, USER: user, LOGNAME: user, ...(terminal ? { TERM: terminal.type } : {}), ...env },
    interactive: terminal !== undefined,
    ...(terminal ? { width: terminal.columns, height: terminal.rows } : {}),
    'wait-for-websocket': true,
    'record-output': false,
  };
}

async function exitOf(
  engine: EngineClient,
  operation: Operation,
  { sockets, ended }: { sockets: readonly WebSocket[]; ended: readonly Promise<void>[] },
): Promise<number> {
  try {
    const finished = await engine.waitFor(operation.id, { timeoutMs: unlimitedMs });
    await Promise.all(ended);
    return z.object({ return: z.number() }).parse(finished.metadata).return;
  } catch (thrown) {
    const code = thrown instanceof EngineFailure ? failedBeforeItRan(thrown.message) : null;
    if (code === null) throw fromEngine(thrown, operation.id, (reason) => new NexusError('stream_failed', { reason }));
    return code;
  } finally {
    for (const socket of sockets) socket.terminate();
  }
}

/** The exit code that a shell gives to a command that does not exist or cannot be run. */
function failedBeforeItRan(message: string): number | null {
  if (/command not found/i.test(message)) return 127;
  return /command not executable/i.test(message) ? 126 : null;
}

function allOpen(sockets: readonly WebSocket[]): Promise<unknown> {
  const opened = sockets.map(
    (socket) =>
      new Promise<void>((resolve, reject) => {
        if (socket.readyState === WebSocket.OPEN) resolve();
        socket.once('open', resolve);
        socket.on('error', reject);
        socket.once('close', () => reject(new Error('closed before it opened')));
      }),
  );
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`not open in ${connectTimeoutMs / 1000} s`)), connectTimeoutMs);
    void Promise.allSettled(opened).then(() => clearTimeout(timer));
  });
  return Promise.race([Promise.all(opened), late]);
}

/** A client that changes its size faster than the engine takes it loses some of the changes. */
const mostUntoldBytes = 64 * 1024;

function tell(control: WebSocket, message: unknown): void {
  if (control.readyState !== WebSocket.OPEN || control.bufferedAmount > mostUntoldBytes) return;
  control.send(JSON.stringify(message));
}
