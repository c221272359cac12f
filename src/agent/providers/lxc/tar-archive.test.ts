import assert from 'node:assert/strict';
import { it } from 'node:test';
import { execa } from 'execa';
import { tarArchive } from './tar-archive.ts';

it('makes an archive that tar reads', async () => {
  const files = [
    { name: 'metadata.yaml', content: Buffer.from('architecture: x86_64\n') },
    { name: 'exact', content: Buffer.alloc(512, 'x') },
    { name: 'empty', content: Buffer.alloc(0) },
  ];
  const input = tarArchive(files);
  assert.deepEqual((await execa('tar', ['-tf', '-'], { input })).stdout.split('\n'), [
    'metadata.yaml',
    'exact',
    'empty',
  ]);
  assert.equal((await execa('tar', ['-xOf', '-', 'metadata.yaml'], { input })).stdout, 'architecture: x86_64');
});
