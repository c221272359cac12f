import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { silentLog } from '../../test/support/silent-log.ts';
import { newStreamKey } from '../contract/stream-mac.ts';
import { ParkingLot } from './parking-lot.ts';
import { createSplice } from './splice.ts';
import { openStreamPort } from './stream-port.ts';

async function start(handshakeMs: number) {
  const parkingLot = new ParkingLot({ waitMs: 10 });
  const key = newStreamKey();
  const options = {
    host: '127.0.0.1',
    port: 0,
    sharing: 'exclusive',
    certificate: null,
    keyOf: () => key,
    parkingLot,
    splice: createSplice(),
    log: silentLog,
  } as const;
  return openStreamPort({ ...options, handshakeMs });
}

async function dial(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('who does not say what it wants in time is told so and cut off, even when it does not listen', async () => {
  const streamPort = await start(20);
  const socket = await dial(streamPort.port);
  let heard = '';
  socket.on('data', (chunk) => (heard += String(chunk)));
  await once(socket, 'end');
  assert.match(heard, /"error":"timeout"/);
  // This end stays open: the gateway has to close the connection by itself.
  await streamPort.drain();
  assert.equal(streamPort.streams, 0);
  socket.destroy();
});

test('draining sends strangers away and frees the port', async () => {
  const streamPort = await start(60_000);
  const socket = await dial(streamPort.port);
  await once(socket, 'data');
  const gone = new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
  await streamPort.drain();
  await gone;
  await assert.rejects(dial(streamPort.port));
  socket.destroy();
});
