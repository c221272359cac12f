import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { parseImageReference, type ImageReference } from './image-reference.ts';
import { obtainImage } from './image-source.ts';
import { mirrorSources } from './mirror-image.ts';

/** A stand-in for the program that asks the mirror; what it does is said in its environment. */
const mmdebstrap = `#!/bin/sh
case $NEXUS_TEST_MIRROR in
  unreachable) echo 'W: apt will say' >&2; echo "E: Could not resolve 'deb.debian.org'" >&2; exit 100 ;;
  full) echo 'E: write error: No space left on device' >&2; exit 1 ;;
  quiet) exit 1 ;;
esac
echo 'I: downloading packages' >&2
for argument; do case $argument in */root.tar) echo root > "$argument" ;; esac; done
`;

let folder = '';
const path = process.env['PATH'] ?? '';
const { signal } = new AbortController();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-image-'));
  await writeFile(join(folder, 'mmdebstrap'), mmdebstrap);
  await chmod(join(folder, 'mmdebstrap'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
});
after(async () => {
  process.env['PATH'] = path;
  delete process.env['NEXUS_TEST_MIRROR'];
  await rm(folder, { recursive: true });
});

function image(text: string): ImageReference {
  const reference = parseImageReference(text);
  assert.ok(reference);
  return reference;
}

async function obtain(engine: FakeEngine, text = 'debian:12', lines: string[] = []): Promise<string> {
  const cacheFolder = join(folder, 'cache');
  const context = { engine: engine.client, cacheFolder, signal };
  try {
    return await obtainImage(context, image(text), (line) => lines.push(line));
  } finally {
    assert.deepEqual(await readdir(cacheFolder).catch(() => []), []);
  }
}

it('takes an image from the first server that has it', async () => {
  await using engine = await FakeEngine.start(({ body }) =>
    body.includes('linuxcontainers')
      ? { operation: { fingerprint: 'f1' } }
      : { operation: null, failure: 'no such image' },
  );
  assert.equal(await obtain(engine), 'f1');
  assert.equal(engine.calls.filter((call) => call === 'POST /1.0/images').length, 2);
});

it('builds it from the mirror when no server answers', async () => {
  for (const text of ['debian:12', 'ubuntu:22.04']) {
    const lines: string[] = [];
    await using engine = await FakeEngine.start(({ body }) =>
      body.includes('simplestreams') ? { error: 'lookup: no such host' } : { operation: { fingerprint: 'built' } },
    );
    assert.equal(await obtain(engine, text, lines), 'built');
    assert.ok(lines.includes('downloading packages'), text);
    const upload = engine.asked.at(-2)?.body.toString() ?? '';
    assert.match(upload, /name="metadata"[\s\S]*metadata\.yaml[\s\S]*name="rootfs"[\s\S]*root\n/);
  }
});

it('removes what a build that was killed long ago left', async () => {
  const left = join(folder, 'cache/build-left');
  await mkdir(left, { recursive: true });
  await utimes(left, 0, 0);
  await using engine = await FakeEngine.start(({ body }) =>
    body.includes('simplestreams') ? { error: 'no such host' } : { operation: { fingerprint: 'built' } },
  );
  await obtain(engine);
});

it('says what the servers and the mirror said when there is none', async () => {
  process.env['NEXUS_TEST_MIRROR'] = 'unreachable';
  await using engine = await FakeEngine.start(() => ({ error: 'no such host' }));
  await assert.rejects(obtain(engine), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'image_not_found');
    assert.match(error.message, /no such host.*Could not resolve 'deb\.debian\.org'/);
    return true;
  });
  process.env['NEXUS_TEST_MIRROR'] = 'quiet';
  await assert.rejects(obtain(engine), /mmdebstrap .* ended with 1/);
});

it('says that the disk is full, wherever it is', async () => {
  process.env['NEXUS_TEST_MIRROR'] = 'full';
  await using engine = await FakeEngine.start(() => ({ error: 'no such host' }));
  await assert.rejects(obtain(engine), { code: 'disk_full' });
  await using store = await FakeEngine.start(() => ({ operation: null, failure: 'No space left on device' }));
  await assert.rejects(obtain(store), { code: 'disk_full' });
});

it('does not try the mirror when the engine is gone', async () => {
  await using engine = await FakeEngine.start(() => ({ cut: true }));
  await assert.rejects(obtain(engine), { code: 'provider_unavailable' });
});

it('asks the mirror for updates, too', () => {
  assert.deepEqual(mirrorSources(image('debian:12')), [
    'deb http://deb.debian.org/debian bookworm main',
    'deb http://deb.debian.org/debian bookworm-updates main',
    'deb http://deb.debian.org/debian-security bookworm-security main',
  ]);
});
