import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { NexusError } from '../../../contract/errors.ts';
import { isProcessAlive } from '../../../lib/process-alive.ts';
import { relaySocketVariable } from './relay.ts';

const connectTimeoutMs = 10_000;

export type DialTarget = {
  readonly address: string;
  readonly port: number;
  /** Host's id of the instance's init process (0: none); asked for only when the relay is needed. */
  readonly initProcess: () => Promise<number>;
  /** Program and arguments that end up in `runRelay`; the port is appended. */
  readonly relayCommand: readonly string[];
};

/**
 * A connection to a port of an instance: straight to its address, and where nothing listens there, through a relay
 * in the instance's network namespace to its loopback.
 * @throws stream_failed
 */
export async function dialInstance(target: DialTarget): Promise<Duplex> {
  try {
    return await connectTo(target.address, target.port);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw failed(target, thrown);
  }
  const initProcess = await target.initProcess();
  if (initProcess === 0) throw failed(target, new Error('the instance does not run'));
  return dialLoopback(target, initProcess);
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const deadline = setTimeout(() => socket.destroy(new Error('no answer in time')), connectTimeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(deadline);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(deadline);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

const folderPrefix = 'nexus-relay-';

/** Removes the sockets of agents that were killed while a relay was to join them. */
export async function removeDeadSockets(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const agent = Number(/^nexus-relay-(\d+)-/.exec(name)?.[1] ?? 0);
    if (agent > 0 && !isProcessAlive(agent))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function dialLoopback(target: DialTarget, initProcess: number): Promise<Duplex> {
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const path = join(folder, 'socket');
  const server = createServer({ allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    const enter = ['nsenter', `--target=${initProcess}`, '--net', '--'];
    return await joinedBy(server, [...enter, ...target.relayCommand, String(target.port)], path);
  } catch (thrown) {
    throw failed(target, thrown);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The relay comes to the server's socket once it has the port, and ends when it cannot have it. */
function joinedBy(server: Server, [program = '', ...args]: readonly string[], path: string): Promise<Socket> {
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, [relaySocketVariable]: path } });
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
      reject(new Error(reason));
    };
    const deadline = setTimeout(() => fail('the relay did not answer in time'), connectTimeoutMs);
    child.once('error', (error) => fail(`the relay cannot be started: ${error.message}`));
    child.once('exit', (code) => {
      if (code !== 0) fail('nothing listens there, nor on the loopback');
    });
    server.once('connection', (socket) => {
      clearTimeout(deadline);
      child.unref();
      resolve(socket);
    });
  });
}

function failed({ address, port }: DialTarget, cause: unknown): NexusError {
  const reason = `${address}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new NexusError('stream_failed', { reason }, { cause });
}
