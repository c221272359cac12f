import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { NexusError } from '../../../contract/errors.ts';
import { relayAnswer } from './relay.ts';

const connectTimeoutMs = 10_000;

/**
 * A connection to a port of an instance: straight to its address, and where nothing listens there, through a relay
 * in the instance's network namespace to its loopback.
 * @throws stream_failed
 */
export async function dialInstance(target: {
  readonly address: string;
  readonly port: number;
  /** Host's id of the instance's init process; asked for only when the relay is needed. */
  readonly initProcess: () => Promise<number>;
  /** Program and arguments that end up in `runRelay`; the port is appended. */
  readonly relayCommand: readonly string[];
}): Promise<Duplex> {
  try {
    return await connectTo(target.address, target.port);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw failed(target, thrown);
  }
  const initProcess = await target.initProcess();
  if (initProcess === 0) throw failed(target, new Error('the instance does not run'));
  return relay(initProcess, target);
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const deadline = setTimeout(() => socket.destroy(new Error('no answer in time')), connectTimeoutMs);
    socket.once('connect', () => {
      clearTimeout(deadline);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
  });
}

type Target = { readonly address: string; readonly port: number; readonly relayCommand: readonly string[] };

function relay(initProcess: number, target: Target): Promise<Duplex> {
  const enter = ['--target', String(initProcess), '--net', '--', ...target.relayCommand, String(target.port)];
  const child = spawn('nsenter', enter, { stdio: ['pipe', 'pipe', 'ignore'] });
  const { stdin, stdout } = child;
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown): void => {
      clearTimeout(deadline);
      child.kill();
      reject(failed(target, cause));
    };
    const deadline = setTimeout(() => refuse(new Error('the relay did not answer in time')), connectTimeoutMs);
    const nobody = (): void => refuse(new Error(`nothing listens on port ${target.port}`));
    child.once('error', refuse);
    stdout.once('end', nobody);
    stdout.once('readable', function readAnswer() {
      const first = stdout.read(1) as Buffer | null;
      if (first === null) {
        stdout.once('readable', readAnswer);
        return;
      }
      if (first[0] !== relayAnswer.connected) {
        nobody();
        return;
      }
      clearTimeout(deadline);
      stdout.off('end', nobody);
      const stream = duplexOf(stdout, stdin);
      stream.once('close', () => child.kill());
      resolve(stream);
    });
  });
}

/** The types want an iterable; the documentation names this form. */
function duplexOf(readable: Readable, writable: Writable): Duplex {
  return Duplex.from({ readable, writable } as unknown as Iterable<unknown>);
}

function failed({ address, port }: { address: string; port: number }, cause: unknown): NexusError {
  const reason = `${address}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new NexusError('stream_failed', { reason }, { cause });
}
