import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { z } from 'zod';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { createEngineClient } from './engine-client.ts';
import { EngineFailure } from './engine-failure.ts';

it('gives what the engine answers, in its project', async () => {
  await using engine = await FakeEngine.start(() => ({ value: { name: 'x', more: 1 } }));
  assert.deepEqual(await engine.client.get('/1.0/thing', z.object({ name: z.string() })), { name: 'x' });
  await engine.client.change('PUT', '/1.0/thing', { a: 1 });
  assert.equal(engine.asked[1]?.body.toString(), '{"a":1}');
});

it('passes on a refusal in the engine’s words', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'Instance not found', status: 404 }));
  await assert.rejects(engine.client.change('DELETE', '/1.0/instances/x'), (error) => {
    assert.ok(error instanceof EngineFailure);
    assert.deepEqual([error.status, error.message], [404, 'Instance not found']);
    return true;
  });
});

it('passes on an answer that is none', async () => {
  await using engine = await FakeEngine.start(() => ({ raw: '<html>' }));
  await assert.rejects(engine.client.change('GET', '/'), /<html>/);
});

it('says that the engine is not there when the socket is dead, cut or silent', async () => {
  const dead = createEngineClient({ socketPath: '/no/such/socket', project: 'test' });
  await assert.rejects(dead.change('GET', '/1.0'), { code: 'provider_unavailable' });
  await using cut = await FakeEngine.start(() => ({ cut: true }));
  await assert.rejects(cut.client.change('GET', '/1.0'), { code: 'provider_unavailable' });
  await using silent = await FakeEngine.start(() => ({ silent: true }));
  await assert.rejects(silent.client.get('/1.0', z.any(), { timeoutMs: 30 }), { code: 'provider_unavailable' });
});

it('says the same of one that dies, or falls silent, in the middle of its answer', async () => {
  await using cut = await FakeEngine.start(() => ({ half: 'cut' }));
  await assert.rejects(cut.client.change('GET', '/1.0'), { code: 'provider_unavailable' });
  await using silent = await FakeEngine.start(() => ({ half: 'silent' }));
  await assert.rejects(silent.client.get('/1.0', z.any(), { timeoutMs: 30 }), { code: 'provider_unavailable' });
});

it('looks for the socket at every request', async () => {
  await using engine = await FakeEngine.start(() => ({ value: 1 }));
  let path = '/no/such/socket';
  const client = createEngineClient({ socketPath: () => path, project: 'test' });
  await assert.rejects(client.get('/1.0', z.number()), { code: 'provider_unavailable' });
  path = engine.client.socketPath;
  assert.equal(await client.get('/1.0', z.number()), 1);
});

it('can be given up', async () => {
  await using engine = await FakeEngine.start(() => ({ silent: true }));
  const controller = new AbortController();
  const asked = engine.client.get('/1.0', z.any(), { signal: controller.signal });
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
});

it('waits for an operation, and fails as it fails', async () => {
  await using engine = await FakeEngine.start(({ path }) =>
    path === '/good' ? { operation: { return: 0 } } : { operation: null, failure: 'it broke' },
  );
  const options = { timeoutMs: 1000 };
  assert.deepEqual((await engine.client.operate('POST', '/good', {}, options)).metadata, { return: 0 });
  await assert.rejects(engine.client.operate('POST', '/bad', {}, options), /it broke/);
});

it('does not wait for ever', async () => {
  await using engine = await FakeEngine.start(() => ({ endless: true }));
  await assert.rejects(engine.client.operate('POST', '/slow', {}, { timeoutMs: 50 }), /not done in 0.05 s/);
});

it('streams content up, with an operation or without, and down', async () => {
  await using engine = await FakeEngine.start(({ path, body }) => {
    if (path === '/images') return { operation: { fingerprint: String(body.length) } };
    if (path === '/files') return { raw: 'content', headers: { 'x-lxd-type': 'file' } };
    return { value: null };
  });
  const headers = { 'content-type': 'application/octet-stream' };
  const chunks = Readable.from([Buffer.alloc(70_000), Buffer.alloc(70_000)]);
  assert.equal((await engine.client.upload('/images', chunks, { headers }))?.metadata?.['fingerprint'], '140000');
  assert.equal(await engine.client.upload('/other', Buffer.from('x'), { headers }), null);
  assert.equal((await (await engine.client.download('/files')).toArray()).join(''), 'content');
});

it('fails an upload whose source fails, and a download that is refused', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'no', status: 403 }));
  const broken = new Readable({ read: () => void broken.destroy(new Error('disk read failed')) });
  await assert.rejects(engine.client.upload('/x', broken, { headers: {} }), /disk read failed/);
  await assert.rejects(engine.client.download('/x'), { status: 403 });
});
