import type { Socket } from 'node:net';
import {
  encodeFrame,
  pipeAsFrames,
  readFrames,
  writeFrames,
  writeWithin,
  type ExecFrame,
} from '../../contract/exec-frames.ts';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import { answerStream, endSoon } from '../../contract/stream-client.ts';
import { execFrame } from '../../contract/stream-protocol.ts';
import { plainScript } from '../guest/scripts.ts';
import type { ExecHandle } from '../providers/provider.ts';
import type { Request, StreamHandler } from './stream-context.ts';

/** A command as dev, in the repository. It is killed with all its children when the client goes. */
export const execStream: StreamHandler<'exec'> = async (request, socket, { provider, instance }) => {
  const handle = await provider.exec(instance.id, {
    command: [
      '/bin/bash',
      '-lc',
      plainScript('exec'),
      'nexus',
      request.cwd ?? '',
      ...variables(request),
      ...request.command,
    ],
    user: 'dev',
    ...(request.terminal ? { terminal: request.terminal } : {}),
  });
  answerStream(socket, { ok: true });
  const state = { ended: false };
  socket.once('close', () => {
    if (!state.ended) handle.kill('SIGKILL');
  });
  void takeInput(socket, handle, state);
  try {
    await Promise.all([
      pipeAsFrames(handle.stdout, execFrame.stdout, socket),
      pipeAsFrames(handle.stderr, execFrame.stderr, socket),
    ]);
    const exitCode = await handle.exitCode;
    state.ended = true;
    await writeFrames(socket, execFrame.exit, String(exitCode));
  } catch (error) {
    state.ended = true;
    await writeFrames(socket, execFrame.error, JSON.stringify(toNexusError(error).toBody()));
  }
  socket.end();
};

function variables({ env = {} }: Request<'exec'>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** Carries the client's frames to the command. A client stays until the command has ended: one that ends before is gone. */
async function takeInput(socket: Socket, handle: ExecHandle, state: { ended: boolean }): Promise<void> {
  try {
    for await (const frame of readFrames(socket)) {
      if (state.ended) continue;
      if (frame.type === execFrame.stdin) await writeWithin(handle.stdin, frame.payload);
      else takeControl(frame, handle);
    }
  } catch (error) {
    if (error instanceof NexusError && !state.ended && socket.writable) return sendAway(socket, error);
  }
  if (!state.ended) socket.destroy();
}

/** To a client that sends what is no frame. The close that follows ends its command. */
function sendAway(socket: Socket, error: NexusError): void {
  socket.write(encodeFrame(execFrame.error, JSON.stringify(error.toBody())));
  endSoon(socket);
}

function takeControl({ type, payload }: ExecFrame, handle: ExecHandle): void {
  if (type === execFrame.stdinEnd) handle.stdin.end();
  else if (type === execFrame.resize) {
    const size = parseSize(payload);
    if (size) handle.resize(size);
  } else if (type === execFrame.signal) {
    const signal = signals.find((name) => name === payload.toString('utf8'));
    if (signal) handle.kill(signal);
  }
}

const signals = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP'] as const;

const mostCells = 10_000;

function parseSize(payload: Buffer): { columns: number; rows: number } | null {
  try {
    const { columns, rows } = JSON.parse(payload.toString('utf8')) as { columns?: unknown; rows?: unknown };
    return isLength(columns) && isLength(rows) ? { columns, rows } : null;
  } catch {
    return null;
  }
}

function isLength(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostCells;
}
