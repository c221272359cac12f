import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import type { Route } from '../../src/contract/control-protocol.ts';
import { newStreamKey } from '../../src/contract/stream-mac.ts';
import { newJoinToken } from '../../src/contract/handshake.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { machineId } from '../../src/lib/machine-id.ts';
import { startControlServer } from '../support/control-server.ts';
import {
  connect,
  echoBanner,
  freePort,
  readAll,
  readBytes,
  roundTrip,
  routeTo,
  startGateway,
  startServerToJoin,
  tcpServer,
  temporaryFolder,
  untilGone,
  type GatewayProcess,
} from '../support/gateway-harness.ts';

const banner = 'SSH-2.0-test\r\n';

/** A server, and a gateway that has joined it. */
async function startBoth() {
  const stack = new AsyncDisposableStack();
  const { server, identity, stateDir, joinToken } = stack.use(await startServerToJoin());
  const machine = await machineId(stateDir);
  const settings = { serverUrl: server.url, stateDir, retryPortsMs: 50, startingWithinMs: 500 };
  const gateways: GatewayProcess[] = [];
  async function gateway(overrides: Partial<Parameters<typeof startGateway>[0]> = {}): Promise<GatewayProcess> {
    const started = await startGateway({ ...settings, ...overrides });
    gateways.push(started);
    return started;
  }
  stack.defer(async () => {
    for (const started of gateways) await started.stop();
  });
  let version = 0;
  async function apply(...routes: Route[]) {
    version += 1;
    const table = { version, routes, stream_keys: { server: newStreamKey() } };
    server.send({ type: 'routes', table });
    return server.next('routes_applied', (message) => message.version === version);
  }
  const first = await gateway({ joinToken });
  const listening = await server.next('listening');
  return {
    server,
    identity,
    stateDir,
    machine,
    first,
    gateway,
    listening,
    apply,
    here: (overrides: Partial<Route> & Pick<Route, 'listen' | 'port'>) => routeTo({ machine, ...overrides }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function sshSession(port: number): Promise<net.Socket> {
  const socket = await connect(port);
  assert.equal((await readBytes(socket, banner.length)).toString(), banner);
  return socket;
}

test('joins once, listens where it is told, carries bytes, and says how long connecting took', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const [route, { server, stateDir }] = [setup.here({ listen: await freePort(), port: sshd.port }), setup];
  assert.deepEqual((await setup.apply(route)).failed, []);

  const client = await sshSession(route.listen);
  assert.equal(await roundTrip(client, 'hello'), 'hello');
  const measured = await server.next('ssh_connected');
  assert.equal(measured.workspace_id, route.workspace_id);
  assert.ok(measured.seconds > 0 && measured.seconds < 1, `${measured.seconds} s`);

  const state = JSON.parse(await readFile(join(stateDir, 'gateway.json'), 'utf8')) as unknown;
  assert.deepEqual(state, { pid: setup.first.pid, stream_port: setup.listening.port });
  for (const file of ['gateway.json', 'routes.json', 'identity.pem', 'server-key']) {
    assert.equal((await stat(join(stateDir, file))).mode & 0o777, 0o600, file);
  }
  assert.equal(server.hellos[0]?.name, 'gateway');
  client.destroy();
});

test('nothing of a secret is in the log', async () => {
  await using setup = await startBoth();
  await setup.apply(setup.here({ listen: await freePort(), port: 9 }));
  const table = JSON.parse(await readFile(join(setup.stateDir, 'routes.json'), 'utf8')) as {
    stream_keys: { server: string };
  };
  const log = setup.first.log.join('\n');
  assert.ok(!log.includes(table.stream_keys.server));
  assert.ok(!log.includes('nxj_'));
});

test('the end of one direction is passed on while the other goes on', async () => {
  await using setup = await startBoth();
  await using workspace = await tcpServer((socket) => {
    void readAll(socket).then((request) => socket.end(`got ${request.length}`));
  });
  const route = setup.here({ kind: 'service', listen: await freePort(), port: workspace.port });
  await setup.apply(route);
  const client = await connect(route.listen);
  client.end(Buffer.alloc(300_000));
  assert.equal((await readAll(client)).toString(), 'got 300000');

  const heard = Promise.withResolvers<string>();
  await using speaker = await tcpServer((socket) => {
    socket.end('early');
    void readAll(socket).then((late) => heard.resolve(late.toString()));
  });
  const other = setup.here({ kind: 'service', listen: await freePort(), port: speaker.port });
  await setup.apply(other);
  const listener = await connect(other.listen);
  assert.equal((await readAll(listener)).toString(), 'early');
  listener.end('late');
  assert.equal(await heard.promise, 'late');
});

test('a reset at one end resets the other', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const route = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(route);
  const client = await sshSession(route.listen);
  sshd.sockets[0]?.resetAndDestroy();
  assert.equal(await untilGone(client), 'reset');

  const other = await sshSession(route.listen);
  other.resetAndDestroy();
  assert.equal(await untilGone(sshd.sockets[1] ?? other), 'reset');
});

test('a client that reads slowly holds up its workspace, and gets every byte', async () => {
  await using setup = await startBoth();
  const total = 96 * 2 ** 20;
  const piece = Buffer.alloc(2 ** 20, 7);
  let written = 0;
  const stalled = Promise.withResolvers<void>();
  await using workspace = await tcpServer((socket) => {
    function fill(): void {
      while (written < total) {
        written += piece.length;
        if (!socket.write(piece)) {
          stalled.resolve();
          socket.once('drain', fill);
          return;
        }
      }
      socket.end();
    }
    fill();
  });
  await using echo = await tcpServer((socket) => void socket.pipe(socket));
  const route = setup.here({ kind: 'service', listen: await freePort(), port: workspace.port });
  const echoRoute = setup.here({ kind: 'service', listen: await freePort(), port: echo.port });
  await setup.apply(route, echoRoute);
  const client = await connect(route.listen);
  await stalled.promise;
  // While nobody reads, only the kernel's and the pipes' buffers fill up. The gateway deals with its connections in
  // turn: when many round trips of another one move nothing here, nothing can move.
  const other = await connect(echoRoute.listen);
  for (let [still, before] = [0, -1]; still < 200; still += 1) {
    if (written !== before) still = 0;
    before = written;
    assert.equal(await roundTrip(other, 'x'), 'x');
  }
  other.destroy();
  assert.ok(written < total / 2, `${written} bytes went off without a reader`);
  assert.equal((await readAll(client)).length, total);
});

test('killed, it comes back with its routes and its stream port while the server is away', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const route = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(route);
  await setup.server[Symbol.asyncDispose]();
  setup.first.child.kill('SIGKILL');
  assert.equal(await setup.first.exited, 'SIGKILL');
  await assert.rejects(connect(route.listen));

  await setup.gateway();
  const client = await sshSession(route.listen);
  assert.equal(await roundTrip(client, 'still here'), 'still here');
  client.destroy();

  await using server = await startControlServer({ identity: setup.identity, port: setup.server.port });
  assert.equal((await server.next('listening')).port, setup.listening.port);
  assert.equal(server.proofs[0]?.join_token, undefined);
});

test('connections outlive the server', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const route = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(route);
  const client = await sshSession(route.listen);
  await setup.server[Symbol.asyncDispose]();
  await setup.first.logged('no connection to the server');
  assert.equal(await roundTrip(client, 'alive'), 'alive');
  (await sshSession(route.listen)).destroy();

  await using server = await startControlServer({ identity: setup.identity, port: setup.server.port });
  const heartbeat = await server.next('heartbeat');
  assert.equal(heartbeat.connections, 1);
  assert.equal(await roundTrip(client, 'and well'), 'and well');
  client.destroy();
});

test('a new table cuts what is gone and leaves the rest alone', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const kept = setup.here({ listen: await freePort(), port: sshd.port });
  const gone = setup.here({ listen: await freePort(), port: sshd.port });
  const given = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(kept, gone, given);
  const clients = await Promise.all([kept, gone, given].map((route) => sshSession(route.listen)));
  const [keptClient, goneClient, givenClient] = clients as [net.Socket, net.Socket, net.Socket];

  // The instance of one moved, another is gone, and the third port went to another workspace.
  await setup.apply({ ...kept, address: '127.0.0.2' }, { ...given, workspace_id: 'ws-zyxwvutsrqpo' });
  await Promise.all([untilGone(goneClient), untilGone(givenClient)]);
  assert.equal(await roundTrip(keptClient, 'kept'), 'kept');
  await assert.rejects(connect(gone.listen));
  (await sshSession(given.listen)).destroy();
  keptClient.destroy();
});

test('a port that another process has is reported, and taken when it is free', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const holder = net.createServer();
  holder.listen({ host: '127.0.0.1', port: 0, reusePort: true });
  await once(holder, 'listening');
  const { port } = holder.address() as net.AddressInfo;
  const route = setup.here({ listen: port, port: sshd.port });
  const other = setup.here({ listen: await freePort(), port: sshd.port });
  const { failed } = await setup.apply(route, other);
  assert.deepEqual(failed, [{ listen: port, reason: 'another process has the port' }]);
  (await sshSession(other.listen)).destroy();

  holder.close();
  assert.deepEqual((await setup.server.next('routes_applied')).failed, []);
  (await sshSession(port)).destroy();
});

test('a second gateway listens beside the first, which ends with its last connection', async () => {
  await using setup = await startBoth();
  await using sshd = await tcpServer(echoBanner);
  const route = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(route);
  const client = await sshSession(route.listen);

  const second = await setup.gateway();
  const { port } = await setup.server.next('listening');
  assert.notEqual(port, setup.listening.port);
  setup.first.child.kill('SIGTERM');
  await setup.first.logged('no more connections are taken');
  const newer = await sshSession(route.listen);
  assert.equal(await roundTrip(client, 'old'), 'old');
  client.end();
  assert.equal(await setup.first.exited, 0);
  assert.equal(await roundTrip(newer, 'new'), 'new');
  assert.equal(second.child.exitCode, null);
  newer.destroy();
});

test('told to end, it ends at once without connections, and with the second signal in any case', async () => {
  await using setup = await startBoth();
  setup.first.child.kill('SIGTERM');
  assert.equal(await setup.first.exited, 0);

  await using sshd = await tcpServer(echoBanner);
  const again = await setup.gateway();
  await setup.server.next('listening');
  const route = setup.here({ listen: await freePort(), port: sshd.port });
  await setup.apply(route);
  const client = await sshSession(route.listen);
  again.child.kill('SIGTERM');
  await again.logged('no more connections are taken');
  assert.equal(await roundTrip(client, 'open'), 'open');
  await assert.rejects(connect(route.listen));
  again.child.kill('SIGINT');
  assert.equal(await again.exited, 0);
});

test('kept out by the server, it ends its connections and fails', async () => {
  await using folder = await temporaryFolder();
  const identity = await loadIdentity(join(folder.path, 'server.pem'));
  await using server = await startControlServer({
    identity,
    refuse: () => new NexusError('unauthorized', { reason: 'the join token was used already' }),
  });
  const joinToken = newJoinToken(identity.publicKey);
  const gateway = await startGateway({ serverUrl: server.url, stateDir: join(folder.path, 'gateway'), joinToken });
  assert.equal(await gateway.exited, 1);
  assert.match(gateway.log.join('\n'), /the join token was used already/);
});

test('a workspace that cannot be reached closes the connection without a byte', async () => {
  await using setup = await startBoth();
  const route = setup.here({ listen: await freePort(), port: await freePort() });
  await setup.apply(route);
  const client = await connect(route.listen);
  assert.equal((await readAll(client).catch(() => Buffer.alloc(0))).length, 0);
});

test('an SSH client that comes before its workspace answers is let in as soon as it does', async () => {
  await using setup = await startBoth();
  const route = setup.here({ listen: await freePort(), port: await freePort() });
  await setup.apply(route);
  const early = sshSession(route.listen);
  await using sshd = await tcpServer(echoBanner, route.port);
  assert.ok(sshd.port);
  assert.equal(await roundTrip(await early, 'hello'), 'hello');
});
