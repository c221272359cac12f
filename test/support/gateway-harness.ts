/** What tests of the gateway share: the gateway as a process, stand-ins for workspaces, and plain TCP helpers. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Route } from '../../src/contract/control-protocol.ts';
import { newJoinToken } from '../../src/contract/handshake.ts';
import type { GatewayOptions } from '../../src/gateway/run.ts';
import { loadIdentity, type Identity } from '../../src/lib/identity.ts';
import { startControlServer, type ControlServer } from './control-server.ts';

const gatewayProcess = join(import.meta.dirname, 'gateway-process.ts');

export type GatewayProcess = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Its log so far: JSON lines. */
  readonly log: string[];
  /** Resolves with the first line of the log, past or to come, that has this message. */
  logged(message: string): Promise<Record<string, unknown>>;
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Ends it at once, but as a process that writes down what was covered. */
  stop(): Promise<void>;
};

type Settings = Pick<GatewayOptions, 'serverUrl' | 'stateDir'> & Partial<Omit<GatewayOptions, 'signal' | 'log'>>;

/** The sources, on the runtime that runs the tests; or with `program`, which is nexus, that. */
export async function startGateway({
  program,
  ...options
}: Settings & { readonly program?: readonly string[] }): Promise<GatewayProcess> {
  const settings = { host: '127.0.0.1', streamHost: '127.0.0.1', streamPort: 0, version: 'test', ...options };
  const [file = '', ...args] = program
    ? [...program, ...gatewayArguments(settings)]
    : [process.execPath, gatewayProcess, JSON.stringify(settings)];
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const log: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => log.push(line));
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  async function logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = log.find((text) => text.includes(`"msg":${JSON.stringify(message)}`));
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
      const [next] = (await Promise.race([once(lines, 'line'), exited.then(() => [null])])) as [string | null];
      if (next === null) throw new Error(`the gateway ended without "${message}":\n${log.join('\n')}`);
    }
  }
  await logged('the gateway is up');
  async function stop(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) child.kill(signal);
    await exited;
  }
  return { child, pid: child.pid ?? -1, log, logged, exited, stop };
}

function gatewayArguments({ serverUrl, stateDir, joinToken }: Settings): string[] {
  const where = ['--server', serverUrl, '--state-dir', stateDir, '--host', '127.0.0.1'];
  return ['gateway', 'run', ...where, ...(joinToken === undefined ? [] : ['--token', joinToken])];
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'nexus-gateway-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export type ServerToJoin = AsyncDisposable & {
  readonly server: ControlServer;
  readonly identity: Identity;
  /** For the gateway that joins it. */
  readonly stateDir: string;
  readonly joinToken: string;
};

/** A server, and the folder and token of a gateway that is to join it. */
export async function startServerToJoin(): Promise<ServerToJoin> {
  const folder = await temporaryFolder();
  const identity = await loadIdentity(join(folder.path, 'server.pem'));
  const server = await startControlServer({ identity });
  return {
    server,
    identity,
    stateDir: join(folder.path, 'gateway'),
    joinToken: newJoinToken(identity.publicKey),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export type TcpServer = AsyncDisposable & { readonly port: number; readonly sockets: readonly net.Socket[] };

/** A server in place of a workspace's sshd or service. */
export async function tcpServer(onConnection: (socket: net.Socket) => void, port = 0): Promise<TcpServer> {
  const sockets: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Says who it is, as sshd does, and then sends back what it gets. */
export function echoBanner(socket: net.Socket): void {
  socket.write('SSH-2.0-test\r\n');
  socket.pipe(socket);
}

export async function freePort(): Promise<number> {
  await using server = await tcpServer(() => undefined);
  return server.port;
}

export async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Reads exactly this many bytes; what is more is put back. Rejects when the connection ends before. */
export function readBytes(socket: net.Socket, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    function onData(chunk: Buffer): void {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < count) return;
      stop();
      if (bytes.length > count) socket.unshift(bytes.subarray(count));
      resolve(bytes.subarray(0, count));
    }
    function onEnd(): void {
      stop();
      reject(new Error(`the connection ended after ${bytes.length} of ${count} bytes`));
    }
    function stop(): void {
      socket.pause();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    }
    if (socket.destroyed || socket.readableEnded) return onEnd();
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
    socket.resume();
  });
}

/** Everything until the end. */
export async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** How the other end leaves the connection; what it still sends is thrown away. */
export async function untilGone(socket: net.Socket): Promise<'ended' | 'reset'> {
  const gone = Promise.withResolvers<'ended' | 'reset'>();
  socket.once('end', () => gone.resolve('ended')).once('error', () => gone.resolve('reset'));
  if (socket.errored) gone.resolve('reset');
  else if (socket.readableEnded) gone.resolve('ended');
  socket.resume();
  const how = await gone.promise;
  socket.destroy();
  return how;
}

export async function roundTrip(socket: net.Socket, text: string): Promise<string> {
  socket.write(text);
  return (await readBytes(socket, Buffer.byteLength(text))).toString();
}

export function routeTo(overrides: Partial<Route> & Pick<Route, 'listen' | 'port'>): Route {
  return {
    kind: 'ssh',
    workspace_id: 'ws-abcdefghijkl',
    node: 'node-1',
    address: '127.0.0.1',
    machine: null,
    ...overrides,
  };
}
