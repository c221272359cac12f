import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { NexusError } from '../../../contract/errors.ts';
import { createAddresses } from './addresses.ts';
import { parseRange } from './address-range.ts';
import { createBases, type Bases } from './bases.ts';

const spec = { image: 'debian:12', packages: ['sl'] };
const reason = new NexusError('workspace_not_running', { name: 'ws-abcdefghijkl', status: 'stopping' });

function basesOf(engine: FakeEngine): Bases {
  const range = async (): Promise<ReturnType<typeof parseRange>> => parseRange('10.83.0.0/16');
  const addresses = createAddresses(engine.client, range);
  const { signal } = new AbortController();
  return createBases(
    {
      engine: engine.client,
      addresses,
      range,
      protect: async () => undefined,
      pool: 'p',
      cacheFolder: '/nowhere',
      signal,
    },
    { carrySurroundings: false },
  );
}

it('who does not wait any more gets his reason at once; others go on waiting for the same build', async () => {
  const asked = Promise.withResolvers<void>();
  await using engine = await FakeEngine.start(() => {
    asked.resolve();
    return { silent: true };
  });
  const bases = basesOf(engine);
  const ending = new AbortController();
  let isOtherDone = false;
  const aborted = bases.ensure(spec, { signal: ending.signal });
  const other = bases
    .ensure(spec, {})
    .catch(() => undefined)
    .finally(() => (isOtherDone = true));
  await asked.promise;
  ending.abort(reason);
  await assert.rejects(aborted, reason);
  assert.deepEqual([isOtherDone, engine.calls.length], [false, 1]);
  await engine[Symbol.asyncDispose]();
  await other;
});

it('who has gone before it began begins nothing', async () => {
  await using engine = await FakeEngine.start(() => ({ silent: true }));
  await assert.rejects(basesOf(engine).ensure(spec, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(engine.calls, []);
});
