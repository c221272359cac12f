import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStreamThrough } from './open-stream.ts';

const request = { kind: 'tcp', workspace_id: 'ws-abcdefghijkl', port: 22 } as const;
const key = Buffer.alloc(32).toString('base64');

test('why a stream cannot even be tried', async () => {
  const away = openStreamThrough({ isReachable: () => false, streamAddress: () => null }, key);
  await assert.rejects(away('node-1', request), { code: 'node_unreachable' });
  const alone = openStreamThrough({ isReachable: () => true, streamAddress: () => null }, key);
  await assert.rejects(alone('node-1', request), { code: 'stream_failed', message: /no gateway/ });
});

test('a gateway that is gone is a failed stream', async () => {
  const open = openStreamThrough(
    { isReachable: () => true, streamAddress: () => ({ host: '127.0.0.1', port: 1 }) },
    key,
  );
  await assert.rejects(open('node-1', request), { code: 'stream_failed' });
});
