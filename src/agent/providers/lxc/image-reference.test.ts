import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalImage, parseImageReference } from './image-reference.ts';

const same: Readonly<Record<string, readonly string[]>> = {
  'debian:bookworm': ['debian:12', 'debian:bookworm', 'images:debian/12', 'images:debian/bookworm/cloud', 'debian/12'],
  'ubuntu:jammy': ['ubuntu:22.04', 'ubuntu:jammy', 'images:ubuntu/22.04', 'images:ubuntu/jammy'],
};

for (const [canonical, texts] of Object.entries(same))
  it(`knows every spelling of ${canonical}`, () => {
    for (const text of texts) {
      const reference = parseImageReference(text);
      assert.equal(reference && canonicalImage(reference), canonical, text);
    }
  });

it('asks the server that the reference means first', () => {
  assert.deepEqual(parseImageReference('ubuntu:22.04')?.sources[0], {
    server: 'https://cloud-images.ubuntu.com/releases',
    alias: '22.04',
  });
  assert.equal(parseImageReference('images:ubuntu/22.04')?.sources[0]?.alias, 'ubuntu/jammy');
  assert.equal(parseImageReference('debian:12')?.sources[0]?.alias, 'debian/bookworm');
});

it('knows nothing else', () => {
  for (const text of ['', 'debian', 'debian:99', 'alpine:3', 'images:fedora/40', 'debian:12; rm', 'node:20-alpine'])
    assert.equal(parseImageReference(text), null, text);
});
