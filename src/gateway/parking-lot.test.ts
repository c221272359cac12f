import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { tcpPair } from '../../test/support/tcp-pair.ts';
import { ParkingLot } from './parking-lot.ts';

function closing(socket: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => socket.once('close', resolve));
}

test('the newest connection is taken, its bytes untouched', async () => {
  const lot = new ParkingLot({ waitMs: 0 });
  await using older = await tcpPair();
  await using newer = await tcpPair();
  lot.park('a', older.right);
  lot.park('a', newer.right);
  assert.equal(lot.count('a'), 2);
  assert.equal(await lot.take('a'), newer.right);
  assert.equal(lot.count('a'), 1);
  newer.left.end('bytes');
  const chunks: Buffer[] = [];
  for await (const chunk of newer.right) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), 'bytes');
});

test('who waits gets the next that comes, in their order; others go away empty', async () => {
  const lot = new ParkingLot({ waitMs: 60_000 });
  await using one = await tcpPair();
  await using two = await tcpPair();
  const gone = new AbortController();
  const [first, aborted, second] = [lot.take('a'), lot.take('a', { signal: gone.signal }), lot.take('a')];
  gone.abort();
  assert.equal(await aborted, null);
  lot.park('b', one.right);
  assert.equal(await lot.take('b'), one.right);
  lot.park('a', one.right);
  lot.park('a', two.right);
  assert.equal(await first, one.right);
  assert.equal(await second, two.right);
  assert.equal(lot.count('a'), 0);
  assert.equal(await lot.take('a', { signal: AbortSignal.abort() }), null);
  assert.equal(await new ParkingLot({ waitMs: 1 }).take('a'), null);
});

test('what ends, fails or speaks while parked is not there any more', async () => {
  const lot = new ParkingLot({ waitMs: 0 });
  for (const leave of ['end', 'resetAndDestroy', 'write'] as const) {
    await using pair = await tcpPair();
    lot.park('a', pair.right);
    const closed = closing(pair.right);
    if (leave === 'write') pair.left.write('unasked');
    else pair.left[leave]();
    await closed;
    assert.equal(lot.count('a'), 0, leave);
    assert.equal(await lot.take('a'), null);
  }
});

test('a connection that is being closed is not given out', async () => {
  const lot = new ParkingLot({ waitMs: 0 });
  await using pair = await tcpPair();
  await using other = await tcpPair();
  lot.park('a', pair.right);
  lot.park('a', other.right);
  other.right.destroy();
  assert.equal(await lot.take('a'), pair.right);
});

test('nodes that are not welcome any more lose what they parked', async () => {
  const lot = new ParkingLot({ waitMs: 0 });
  await using stays = await tcpPair();
  await using goes = await tcpPair();
  lot.park('a', stays.right);
  lot.park('b', goes.right);
  const left = once(goes.left.resume(), 'end');
  lot.keepOnly((node) => node === 'a');
  await left;
  assert.deepEqual([lot.count('a'), lot.count('b')], [1, 0]);
});

test('a node can hold only so many', async () => {
  const lot = new ParkingLot({ waitMs: 0 });
  const pairs = await Promise.all(Array.from({ length: 65 }, tcpPair));
  for (const { right } of pairs) lot.park('a', right);
  assert.equal(lot.count('a'), 64);
  assert.equal(pairs.at(-1)?.right.destroyed, true);
  for (const pair of pairs) await pair[Symbol.asyncDispose]();
});
