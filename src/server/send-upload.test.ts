import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../contract/errors.ts';
import type { StreamRequest } from '../contract/stream-protocol.ts';
import { uploadFile } from './data-dir.ts';
import { dropUpload, sendUpload } from './send-upload.ts';

const id = 'ws-abcdefghijkl';
const bundle = Buffer.alloc(300_000, 'bundle');

type Lab = AsyncDisposable & { readonly dataDir: string; readonly requests: StreamRequest[]; send(): Promise<void> };

/** A node at the other end of a stream of its own. */
async function createLab(node: (socket: Socket) => void): Promise<Lab> {
  const dataDir = mkdtempSync(join(tmpdir(), 'nexus-upload-'));
  mkdirSync(join(dataDir, 'uploads'));
  const server = createServer({ allowHalfOpen: true }, node).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requests: StreamRequest[] = [];
  return {
    dataDir,
    requests,
    send: () =>
      sendUpload(
        async (_node, request) => {
          requests.push(request);
          const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          return socket;
        },
        { dataDir, node: 'node-1', workspaceId: id },
      ),
    async [Symbol.asyncDispose]() {
      server.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

test('the bundle arrives whole, and is on disk when the node says so', async () => {
  let received = 0;
  await using lab = await createLab((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received === bundle.length) socket.end('{"ok":true}\n');
    });
  });
  writeFileSync(uploadFile(lab.dataDir, id), bundle);
  await lab.send();
  assert.deepEqual(lab.requests, [{ kind: 'put', workspace_id: id, size: bundle.length }]);
  await dropUpload(lab.dataDir, id);
  assert.equal(existsSync(uploadFile(lab.dataDir, id)), false);
  await dropUpload(lab.dataDir, id);
});

test("the node's reason is passed on", async () => {
  const error = new NexusError('disk_full', { where: 'the pool' }).toBody();
  await using lab = await createLab((socket) => void socket.resume().end(`${JSON.stringify({ error })}\n`));
  writeFileSync(uploadFile(lab.dataDir, id), 'x');
  await assert.rejects(lab.send(), { code: 'disk_full' });
});

test('a connection that ends is a failed stream', async () => {
  await using lab = await createLab((socket) => socket.destroy());
  writeFileSync(uploadFile(lab.dataDir, id), bundle);
  await assert.rejects(lab.send(), { code: 'stream_failed' });
});

test('an upload that is gone cannot be cloned', async () => {
  await using lab = await createLab(() => undefined);
  await assert.rejects(lab.send(), { code: 'clone_failed', message: /not on the server any more/ });
});
