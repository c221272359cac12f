/** What stands in for the inside of a workspace: streams of commands, logs and ports, as an agent would answer them. */
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { NexusError } from '../../src/contract/errors.ts';
import { encodeFrame, readFrames } from '../../src/contract/exec-frames.ts';
import { execFrame } from '../../src/contract/stream-protocol.ts';
import type { StreamRequest } from '../../src/contract/stream-protocol.ts';
import type { OpenStream } from '../../src/server/collaborators.ts';

/** A connection to something that says back in capitals what it hears first, and hangs up. */
export function shoutingPort(): Duplex {
  const [near, far] = duplexPair();
  far.once('data', (chunk: Buffer) => far.end(chunk.toString().toUpperCase()));
  far.on('error', () => undefined);
  return near;
}

type ExecRequest = Extract<StreamRequest, { kind: 'exec' }>;

/**
 * Runs one of these: `echo WORDS`, `cat` (its input, to the end), `fail` (says so on stderr and ends with 3), `wait`
 * (ends with 130 on SIGINT), `deaf` (says which signal it heard, and goes on), `size` (its terminal, and each new one until `done` is typed), `refuse` (an error of the
 * agent), `vanish` (the connection breaks), `tear` (it breaks in the middle of a frame), `babble` (what is no exit code).
 */
export function runFakeCommand({ command, terminal }: ExecRequest): Duplex {
  const [near, far] = duplexPair();
  far.on('error', () => undefined);
  const send = (type: (typeof execFrame)[keyof typeof execFrame], payload = ''): void =>
    void far.write(encodeFrame(type, payload));
  const end = (exitCode: number): void => {
    send(execFrame.exit, String(exitCode));
    far.end();
  };
  const [name, ...words] = command;
  const script = async (): Promise<void> => {
    if (name === 'echo') {
      send(execFrame.stdout, `${words.join(' ')}\n`);
      end(0);
    } else if (name === 'fail') {
      send(execFrame.stderr, 'it failed\n');
      end(3);
    } else if (name === 'refuse') {
      send(execFrame.error, JSON.stringify(new NexusError('stream_failed', { reason: 'no such user' }).toBody()));
      far.end();
    } else if (name === 'vanish') {
      far.end();
    } else if (name === 'tear') {
      far.end(encodeFrame(execFrame.stdout, 'cut').subarray(0, 6));
    } else if (name === 'babble') {
      send(execFrame.exit, 'soon');
      far.end();
    } else await interact(name ?? '');
  };
  const interact = async (name: string): Promise<void> => {
    if (name === 'size') send(execFrame.stdout, `${terminal?.columns}x${terminal?.rows} ${terminal?.type}\n`);
    if (name === 'deaf') send(execFrame.stdout, 'listening\n');
    if (name === 'wait') send(execFrame.stdout, 'waiting\n');
    for await (const { type, payload } of readFrames(far)) {
      const text = payload.toString();
      if (type === execFrame.stdin && name === 'cat') send(execFrame.stdout, text);
      if (type === execFrame.stdinEnd && name === 'cat') return end(0);
      if (type === execFrame.resize) send(execFrame.stdout, `${text}\n`);
      if (type === execFrame.stdin && name === 'size' && text.includes('done')) return end(0);
      if (type === execFrame.signal && name === 'deaf') send(execFrame.stdout, `${text}\n`);
      if (type === execFrame.signal && name === 'wait') return end(text === 'SIGINT' ? 130 : 1);
    }
  };
  void script().catch(() => far.destroy());
  return near;
}

/** Answers each request with the stream that `serve` makes, and keeps what was asked. */
export function answerStreams(requests: StreamRequest[], serve: (request: StreamRequest) => Duplex): OpenStream {
  return (_node, request) => {
    requests.push(request);
    return Promise.resolve(serve(request));
  };
}
