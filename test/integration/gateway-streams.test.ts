import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import tls from 'node:tls';
import { NexusError } from '../../src/contract/errors.ts';
import { readFrames, writeFrames } from '../../src/contract/exec-frames.ts';
import { answerStream, openStream, type StreamTarget } from '../../src/contract/stream-client.ts';
import { newStreamKey } from '../../src/contract/stream-mac.ts';
import { parkStreams, type ParkOptions } from '../../src/contract/stream-parking.ts';
import { execFrame, type StreamRequest } from '../../src/contract/stream-protocol.ts';
import { loadStreamCertificate } from '../../src/gateway/stream-certificate.ts';
import { machineId } from '../../src/lib/machine-id.ts';
import { silentLog } from '../support/silent-log.ts';
import {
  connect,
  freePort,
  readAll,
  readBytes,
  roundTrip,
  routeTo,
  startGateway,
  startServerToJoin,
  tcpServer,
  untilGone,
} from '../support/gateway-harness.ts';

const workspace = { workspace_id: 'ws-abcdefghijkl' } as const;
const echoRequest = { kind: 'tcp', ...workspace, port: 7 } as const;
const asServer = { as: 'server', node: 'node-1' };
const soon = { timeoutMs: 10_000 };

/** A gateway that knows two nodes and the server by their keys, and has one route for each way to a workspace. */
async function startBoth(streamHost: string) {
  const stack = new AsyncDisposableStack();
  const { server, stateDir, joinToken } = stack.use(await startServerToJoin());
  const gateway = await startGateway({ serverUrl: server.url, stateDir, streamHost, joinToken });
  stack.defer(() => gateway.stop());
  const { port, certificate_sha256 } = await server.next('listening');
  const keys = { server: newStreamKey(), 'node-1': newStreamKey(), 'node-2': newStreamKey() };
  const remote = routeTo({ listen: await freePort(), port: 7, machine: 'another' });
  const loopbackOnly = routeTo({
    kind: 'service',
    listen: await freePort(),
    port: await freePort(),
    machine: await machineId(stateDir),
  });
  let version = 0;
  async function apply(streamKeys: Record<string, string>): Promise<void> {
    version += 1;
    server.send({ type: 'routes', table: { version, routes: [remote, loopbackOnly], stream_keys: streamKeys } });
    assert.deepEqual((await server.next('routes_applied', (message) => message.version === version)).failed, []);
  }
  await apply(keys);
  return {
    server,
    gateway,
    stateDir,
    keys,
    remote,
    loopbackOnly,
    apply,
    target: (name: keyof typeof keys): StreamTarget => ({
      host: '127.0.0.1',
      port,
      key: keys[name],
      ...(certificate_sha256 === undefined ? {} : { certificate_sha256 }),
    }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function connectTls(port: number): Promise<net.Socket> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

function park(target: StreamTarget, onStream: ParkOptions['onStream'] = echoAgent) {
  return parkStreams({ target: () => target, node: 'node-1', onStream, log: silentLog });
}

/** Answers every request, and sends back what it gets. */
function echoAgent(socket: net.Socket): void {
  answerStream(socket, { ok: true });
  socket.pipe(socket);
}

const ways = [
  { name: 'streams on one machine', streamHost: '127.0.0.1', isEncrypted: false },
  { name: 'streams of other machines, encrypted', streamHost: '0.0.0.0', isEncrypted: true },
];

for (const { name, streamHost, isEncrypted } of ways) {
  describe(name, () => {
    test('a workspace on another machine is reached through its agent, a loopback service on this one too', async () => {
      await using setup = await startBoth(streamHost);
      const requests: StreamRequest[] = [];
      await using _agent = park(setup.target('node-1'), (socket, request) => {
        requests.push(request);
        echoAgent(socket);
      });
      for (const route of [setup.remote, setup.loopbackOnly]) {
        const client = await connect(route.listen);
        assert.equal(await roundTrip(client, 'through the agent'), 'through the agent');
        client.destroy();
      }
      assert.deepEqual(requests, [
        { kind: 'tcp', ...workspace, port: setup.remote.port },
        { kind: 'tcp', ...workspace, port: setup.loopbackOnly.port },
      ]);
      assert.equal((await setup.server.next('ssh_connected')).workspace_id, workspace.workspace_id);
    });

    test('many streams at once, more than are parked, each with its own bytes', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'));
      const sizes = Array.from({ length: 40 }, (_, index) => 1 + index * 20_011);
      await Promise.all(
        sizes.map(async (size, index) => {
          const socket = await openStream(setup.target('server'), asServer, echoRequest, soon);
          const sent = Buffer.alloc(size, index);
          socket.end(sent);
          assert.deepEqual(await readAll(socket), sent);
        }),
      );
    });

    test('bytes that follow an answer at once are not lost', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'), (socket) => {
        answerStream(socket, { ok: true });
        socket.end('first words');
        socket.resume();
      });
      const socket = await openStream(setup.target('server'), asServer, echoRequest, soon);
      assert.equal((await readAll(socket)).toString(), 'first words');
      socket.end();
    });

    test('frames go both ways over a stream', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'), (socket) => void runCat(socket));
      async function runCat(socket: net.Socket): Promise<void> {
        answerStream(socket, { ok: true });
        for await (const { type, payload } of readFrames(socket)) {
          if (type === execFrame.stdin) await writeFrames(socket, execFrame.stdout, payload);
          else break;
        }
        await writeFrames(socket, execFrame.exit, '0');
        socket.end();
      }
      const request: StreamRequest = { kind: 'exec', ...workspace, command: ['cat'] };
      const socket = await openStream(setup.target('server'), asServer, request, soon);
      const input = Buffer.alloc(3_000_000, 'x');
      void writeFrames(socket, execFrame.stdin, input).then(() => writeFrames(socket, execFrame.stdinEnd));
      const output: Buffer[] = [];
      let exit = '';
      for await (const { type, payload } of readFrames(socket)) {
        if (type === execFrame.stdout) output.push(payload);
        else exit = payload.toString();
      }
      assert.deepEqual(Buffer.concat(output), input);
      assert.equal(exit, '0');
    });

    test("the agent's error comes as it is, and a client of the public port is closed", async () => {
      await using setup = await startBoth(streamHost);
      const refusal = new NexusError('not_found', { kind: 'instance', name: 'ws-abcdefghijkl' });
      await using _agent = park(setup.target('node-1'), (socket) => answerStream(socket, refusal));
      await assert.rejects(openStream(setup.target('server'), asServer, echoRequest, soon), {
        code: 'not_found',
        message: refusal.message,
      });
      const client = await connect(setup.remote.listen);
      await untilGone(client);
      await setup.gateway.logged('no way to the workspace');
    });

    test('nobody waits for ever for an agent that is not there, and one that comes meanwhile is used', async () => {
      await using setup = await startBoth(streamHost);
      const hopeless = openStream(setup.target('server'), { as: 'server', node: 'node-2' }, echoRequest, soon);
      const early = openStream(setup.target('server'), asServer, echoRequest, soon);
      const late = assert.rejects(openStream(setup.target('server'), asServer, echoRequest, { timeoutMs: 1 }), {
        code: 'timeout',
      });
      await late;
      await using _agent = park(setup.target('node-1'));
      const socket = await early;
      assert.equal(await roundTrip(socket, 'hello'), 'hello');
      socket.destroy();
      await assert.rejects(hopeless, { code: 'node_unreachable' });
    });

    test('only the server opens streams, a node parks for itself only, and a wrong key is turned away', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'));
      const wrongKey = { ...setup.target('server'), key: newStreamKey() };
      const cases = [
        { target: setup.target('node-1'), who: { as: 'node-1', node: 'node-1' }, code: 'forbidden' },
        { target: wrongKey, who: asServer, code: 'unauthorized' },
        { target: setup.target('server'), who: { as: 'nobody', node: 'node-1' }, code: 'unauthorized' },
        { target: setup.target('server'), who: { as: 'toString', node: 'node-1' }, code: 'unauthorized' },
      ];
      for (const { target, who, code } of cases) {
        await assert.rejects(openStream(target, who, echoRequest, soon), { code }, JSON.stringify(who));
      }
    });

    test('a node whose key is taken away loses its parked connections, and no stream under way', async () => {
      await using setup = await startBoth(streamHost);
      await using agent = park(setup.target('node-1'));
      const socket = await openStream(setup.target('server'), asServer, echoRequest, soon);
      await setup.apply({ server: setup.keys.server });
      await setup.gateway.logged('a stream connection was turned away');
      assert.equal(agent.parked, 0);
      assert.equal(await roundTrip(socket, 'goes on'), 'goes on');
      socket.destroy();
    });

    test('broken handshakes end, and leave the port as it was', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'));
      const { port } = setup.target('server');
      const nonsense = [
        '',
        '\n',
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        '{"park":"node-1"}\n',
        '{"park":"node-1","as":"node-1","nonce":"","mac":""}\n',
        '{"open":"node-1","park":"node-1","as":"server","nonce":"AA==","mac":"AA=="}\n',
        `${'['.repeat(60_000)}\n`,
        'x'.repeat(70_000),
        Buffer.from([0, 255, 254, 10, 13]),
      ];
      for (const bytes of nonsense) {
        const socket = await (isEncrypted ? connectTls(port) : connect(port));
        socket.end(bytes);
        await untilGone(socket);
      }
      const unencrypted = await connect(port);
      unencrypted.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await untilGone(unencrypted);
      // Pieces of one byte are as good as a whole line.
      const proxy = await tcpServer((socket) => {
        const upstream = net.connect({ host: '127.0.0.1', port, noDelay: true });
        upstream.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => {
          for (const byte of chunk) upstream.write(Buffer.from([byte]));
        });
        upstream.pipe(socket);
      });
      await using _proxy = proxy;
      const target = { ...setup.target('server'), port: proxy.port };
      const socket = await openStream(target, asServer, echoRequest, soon);
      assert.equal(await roundTrip(socket, 'still works'), 'still works');
      socket.destroy();
    });

    test('strangers are limited in number and do not shut out who has a key', async () => {
      await using setup = await startBoth(streamHost);
      const { port } = setup.target('server');
      const strangers = await Promise.all(Array.from({ length: 256 }, () => connect(port)));
      // Within TLS nothing is said to who says nothing.
      if (!isEncrypted) await Promise.all(strangers.map((socket) => readBytes(socket, 1)));
      const [longest] = strangers;
      assert.ok(longest);
      const oneTooMany = await connect(port);
      await untilGone(longest);
      strangers.push(oneTooMany);
      // Whoever has a key does not wait until the strangers' time is up.
      await using _agent = park(setup.target('node-1'));
      const client = await connect(setup.remote.listen);
      assert.equal(await roundTrip(client, 'in'), 'in');
      client.destroy();
      for (const socket of strangers) socket.destroy();
    });

    test('told to end, the gateway lets streams under way finish', async () => {
      await using setup = await startBoth(streamHost);
      await using _agent = park(setup.target('node-1'));
      const socket = await openStream(setup.target('server'), asServer, echoRequest, soon);
      setup.gateway.child.kill('SIGTERM');
      await setup.gateway.logged('no more connections are taken');
      assert.equal(await roundTrip(socket, 'bye'), 'bye');
      socket.end();
      await once(socket.resume(), 'close');
      assert.equal(await setup.gateway.exited, 0);
    });
  });
}

test('without the certificate that the server named, no byte of the handshake is sent', async () => {
  await using setup = await startBoth('0.0.0.0');
  const target = setup.target('server');
  const another = { ...target, certificate_sha256: Array.from({ length: 32 }, () => 'AB').join(':') };
  await assert.rejects(openStream(another, asServer, echoRequest, soon), {
    code: 'stream_failed',
    message: /another certificate/,
  });
  const unencrypted = { host: 'nexus.test', port: target.port, key: target.key };
  await assert.rejects(openStream(unencrypted, asServer, echoRequest, soon), {
    code: 'stream_failed',
    message: /not encrypted/,
  });
});

test('a gateway that comes back shows the same certificate', async () => {
  await using setup = await startBoth('0.0.0.0');
  const { certificate_sha256 } = setup.target('server');
  assert.ok(certificate_sha256);
  const again = await loadStreamCertificate(setup.stateDir, silentLog);
  assert.equal(again.sha256, certificate_sha256);
});
