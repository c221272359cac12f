import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { tcpPair } from '../../test/support/tcp-pair.ts';
import { maxLineBytes, readLine, readMessage, writeLine } from './json-line.ts';

const greeting = z.object({ hello: z.string() });

test('lines are read one by one, and what follows them stays in the socket', async () => {
  await using pair = await tcpPair();
  writeLine(pair.left, { hello: 'wörld' });
  pair.left.end('{"hello":"again"}\nrest');
  assert.deepEqual(await readMessage(pair.right, greeting), { hello: 'wörld' });
  assert.deepEqual(await readMessage(pair.right, greeting), { hello: 'again' });
  const rest: Buffer[] = [];
  for await (const chunk of pair.right) rest.push(chunk as Buffer);
  assert.equal(Buffer.concat(rest).toString(), 'rest');
  await assert.rejects(readLine(pair.right), { code: 'stream_failed', message: /connection ended/ });
});

test('a line may come in pieces, also within a letter', async () => {
  await using pair = await tcpPair();
  const reading = readMessage(pair.right, greeting);
  for (const byte of Buffer.from('{"hello":"wörld"}\n')) pair.left.write(Buffer.from([byte]));
  assert.deepEqual(await reading, { hello: 'wörld' });
});

test('what is no JSON, no such message, or too long is refused', async () => {
  const cases: [string, RegExp][] = [
    ['{"hello"\n', /not JSON/],
    ['{"hello":1}\n', /unexpected message/],
    ['[]\n', /unexpected message/],
    ['x'.repeat(maxLineBytes + 1), /longer than 64 KiB/],
  ];
  for (const [line, message] of cases) {
    await using pair = await tcpPair();
    pair.left.write(line);
    await assert.rejects(readMessage(pair.right, greeting), { code: 'stream_failed', message }, line.slice(0, 20));
  }
});

test('a connection that ends, fails or takes too long is an error', async () => {
  await using ending = await tcpPair();
  ending.left.end('{"hel');
  await assert.rejects(readLine(ending.right), { code: 'stream_failed', message: /connection ended/ });

  await using failing = await tcpPair();
  const failed = readLine(failing.right);
  failing.left.resetAndDestroy();
  await assert.rejects(failed, { code: 'stream_failed' });
  await assert.rejects(readLine(failing.right), { code: 'stream_failed' });

  await using silent = await tcpPair();
  await assert.rejects(readLine(silent.right, { signal: AbortSignal.abort(new Error('enough')) }), {
    message: 'enough',
  });
  const stop = new AbortController();
  const waiting = readLine(silent.right, { signal: stop.signal });
  stop.abort('no error');
  await assert.rejects(waiting, { message: 'aborted' });
});
