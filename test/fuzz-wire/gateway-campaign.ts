/** Scripts against a gateway process: its stream port, and the public ports of workspaces that are up, away and starting. */
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import type net from 'node:net';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { readMessage, writeLine } from '../../src/contract/json-line.ts';
import { newStreamKey, newStreamNonce, streamMac } from '../../src/contract/stream-mac.ts';
import { streamGreeting } from '../../src/contract/stream-protocol.ts';
import { machineId } from '../../src/lib/machine-id.ts';
import { brokenJson, hostileValue } from '../fuzz/hostile-values.ts';
import {
  connect,
  echoBanner,
  freePort,
  roundTrip,
  routeTo,
  startGateway,
  startServerToJoin,
  tcpServer,
} from '../support/gateway-harness.ts';

export type GatewayReport = {
  readonly seed: number;
  readonly connections: number;
  readonly problems: readonly string[];
  readonly before: Size;
  readonly highestRssBytes: number;
  readonly after: Size;
  readonly logLines: number;
};
type Size = { readonly rssBytes: number; readonly handles: number };

type Act =
  | { readonly do: 'write'; readonly bytes: Buffer }
  | { readonly do: 'trickle'; readonly bytes: Buffer }
  | { readonly do: 'park' | 'open' }
  | { readonly do: 'end' | 'reset' };
type Play = { readonly at: 'streams' | 'up' | 'away' | 'endless'; readonly acts: readonly Act[] };

const proof = fc.record({
  park: fc.oneof(fc.constantFrom('node-1', 'server', undefined), hostileValue),
  open: fc.oneof(fc.constantFrom(undefined, 'node-1'), hostileValue),
  as: fc.oneof(fc.constantFrom('node-1', 'server', '__proto__'), hostileValue),
  nonce: fc.oneof(fc.constant('AAAA'), hostileValue),
  mac: fc.oneof(fc.constant('AAAA'), hostileValue),
});
const bytes = fc.oneof(
  proof.map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
  brokenJson.map((json) => Buffer.concat([json, Buffer.from('\n')])),
  fc.uint8Array({ maxLength: 500 }).map((all) => Buffer.from(all)),
  fc.constantFrom(Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(200_000, 0x78), Buffer.from('GET / HTTP/1.1\r\n\r\n')),
);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: bytes.map((all): Act => ({ do: 'write', bytes: all })) },
  { weight: 1, arbitrary: bytes.map((all): Act => ({ do: 'trickle', bytes: all.subarray(0, 300) })) },
  { weight: 2, arbitrary: fc.constantFrom<Act>({ do: 'park' }, { do: 'open' }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ do: 'end' }, { do: 'reset' }) },
);
const plays: fc.Arbitrary<Play> = fc.record({
  at: fc.constantFrom('streams' as const, 'streams' as const, 'up' as const, 'away' as const, 'endless' as const),
  acts: fc.array(act, { minLength: 1, maxLength: 5 }),
});

const atOnce = 60;
const endsWithinMs = 20_000;

/** @param options.program nexus as it is shipped; absent: the sources */
export async function attackGateway({
  seed,
  connections,
  program,
}: {
  seed: number;
  connections: number;
  program?: readonly string[];
}): Promise<GatewayReport> {
  await using world = await gatewayWorld(program);
  const { gateway, ports } = world;
  const session = await connect(ports.up);
  await once(session, 'data');
  session.pause();
  const before = await sizeOf(gateway.pid);
  let highestRssBytes = before.rssBytes;
  const problems: string[] = [];
  const playlist = fc.sample(plays, { seed, numRuns: connections }).entries();
  const work = async (): Promise<void> => {
    for (const [index, one] of playlist) {
      const outcome = await Promise.race([
        playOne(one, world).then(() => null, String),
        delay(endsWithinMs, 'the connection was not ended', { ref: false }),
      ]);
      if (outcome !== null)
        problems.push(`connection ${index} (${one.at}, ${one.acts.map((a) => a.do).join(' ')}): ${outcome}`);
      highestRssBytes = Math.max(highestRssBytes, (await sizeOf(gateway.pid)).rssBytes);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const crowd = await crowdOf(ports.endless, Math.min(500, connections));
  highestRssBytes = Math.max(highestRssBytes, (await sizeOf(gateway.pid)).rssBytes);
  if ((await roundTrip(session, 'still here')) !== 'still here') problems.push('the session was disturbed');
  for (const socket of [...crowd, session]) socket.destroy();
  await delay(restMs);
  return {
    seed,
    connections,
    problems,
    before,
    highestRssBytes,
    after: await sizeOf(gateway.pid),
    logLines: gateway.log.length,
  };
}

const restMs = 2_000;

type World = Awaited<ReturnType<typeof gatewayWorld>>;

/** The public port of `up` leads to an echo, that of `away` nowhere, that of `endless` to who sends without end. */
async function gatewayWorld(program: readonly string[] | undefined) {
  const stack = new AsyncDisposableStack();
  const { server, stateDir, joinToken } = stack.use(await startServerToJoin());
  const machine = await machineId(stateDir);
  const gateway = await startGateway({
    serverUrl: server.url,
    stateDir,
    joinToken,
    startingWithinMs: 500,
    ...(program ? { program } : {}),
  });
  stack.defer(() => gateway.stop());
  const { port: streams } = await server.next('listening');
  const echo = stack.use(await tcpServer(echoBanner));
  const endless = stack.use(await tcpServer(sendForEver));
  const ports = { streams, up: await freePort(), away: await freePort(), endless: await freePort() };
  const key = newStreamKey();
  const routes = [
    routeTo({ listen: ports.up, port: echo.port, machine }),
    routeTo({ listen: ports.away, port: await freePort(), machine, workspace_id: 'ws-awayawayaway' }),
    routeTo({ kind: 'service', listen: ports.endless, port: endless.port, machine, workspace_id: 'ws-endlessendle' }),
  ];
  server.send({
    type: 'routes',
    table: { version: 1, routes, stream_keys: { server: newStreamKey(), 'node-1': key } },
  });
  await server.next('routes_applied');
  return { gateway, ports, key, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

function sendForEver(socket: net.Socket): void {
  const piece = Buffer.alloc(2 ** 18, 1);
  const fill = (): void => {
    while (socket.writable && socket.write(piece));
  };
  socket.on('drain', fill).resume();
  fill();
}

/** Clients that ask for everything and read nothing. */
async function crowdOf(port: number, count: number): Promise<net.Socket[]> {
  const crowd = await Promise.all(Array.from({ length: count }, () => connect(port)));
  await delay(restMs);
  return crowd;
}

/** On the stream port the gateway ends what is not in order; a public port's client leaves by itself. */
async function playOne({ at, acts }: Play, { ports, key }: World): Promise<void> {
  const socket = await connect(ports[at]);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const one of acts) {
    if (!socket.writable) break;
    if (one.do === 'end') socket.end();
    else if (one.do === 'reset') socket.resetAndDestroy();
    else if (one.do === 'write') socket.write(one.bytes);
    else if (one.do === 'trickle') await trickle(socket, one.bytes);
    else if (at === 'streams') await prove(socket, key, one.do).catch(() => undefined);
  }
  await setImmediate();
  // One that has parked is in order, and would stay.
  if (at !== 'streams' || acts.some((one) => one.do === 'park')) socket.destroy();
  socket.resume();
  if (socket.readableEnded) socket.end();
  else socket.once('end', () => socket.end());
  await closed;
}

/** With the key of node-1, which may park for itself, and open nothing. */
async function prove(socket: net.Socket, key: string, wish: 'park' | 'open'): Promise<void> {
  const { nonce: gatewayNonce } = await readMessage(socket, streamGreeting, { signal: AbortSignal.timeout(500) });
  const intent = wish === 'park' ? { park: 'node-1', as: 'node-1' } : { open: 'node-1', as: 'node-1' };
  const peerNonce = newStreamNonce();
  writeLine(socket, { ...intent, nonce: peerNonce, mac: streamMac(key, 'peer', { intent, gatewayNonce, peerNonce }) });
}

async function trickle(socket: net.Socket, all: Buffer): Promise<void> {
  for (const byte of all) {
    if (!socket.writable) return;
    socket.write(Buffer.from([byte]));
    await setImmediate();
  }
}

async function sizeOf(pid: number): Promise<Size> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { rssBytes: kilobytes * 1024, handles: (await readdir(`/proc/${pid}/fd`)).length };
}
