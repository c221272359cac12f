import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { parseResolvers, upstreamResolvers } from './upstream-resolvers.ts';

it('reads IPv4 name servers that are not on the loopback', () => {
  const text =
    '# nameserver 1.1.1.1\nnameserver 127.0.0.53\nnameserver fd00::1\n  nameserver\t10.0.0.53 \nsearch lan\n';
  assert.deepEqual(parseResolvers(text), ['10.0.0.53']);
});

it('looks behind a local stub', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-resolvers-'));
  const [stub, real] = [join(folder, 'stub'), join(folder, 'real')];
  await writeFile(stub, 'nameserver 127.0.0.53\n');
  await writeFile(real, 'nameserver 10.0.0.1\nnameserver 10.0.0.2\n');
  assert.deepEqual(await upstreamResolvers([stub, real]), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(await upstreamResolvers([stub, join(folder, 'none')]), []);
  await rm(folder, { recursive: true });
});
