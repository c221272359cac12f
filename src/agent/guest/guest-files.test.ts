import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { packFiles } from './guest-files.ts';
import { jobUnitText } from './job-unit.ts';
import { readLines } from './read-lines.ts';
import { plainScript, rootScript } from './scripts.ts';
import { folderInRepository } from './workspace-paths.ts';

it('files are packed with their mode and owner', () => {
  const packed = packFiles([
    { path: '/a', content: 'x\n' },
    { path: '/b', content: '', mode: 0o600, owner: 'dev' },
  ]);
  assert.equal(packed, '/a\x000644\x00root\x00x\n\x00/b\x000600\x00dev\x00\x00');
});

it('a file of text holds no NUL', () => {
  assert.throws(() => packFiles([{ path: '/a', content: 'a\0b' }]), { code: 'invalid_request' });
});

it('lines are put together from chunks', async () => {
  const chunks = ['a', 'b\nc\n', '\n', Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1), 'end'];
  const source = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  assert.deepEqual(await Array.fromAsync(readLines(source)), ['ab', 'c', '', 'éend']);
});

it("root's scripts have the common part before them, others not", () => {
  assert.match(rootScript('facts'), /install_files\(\)[^]*facts\n$/);
  assert.doesNotMatch(plainScript('exec'), /install_files/);
});

it('folders are of the repository', () => {
  assert.equal(folderInRepository(undefined), '/home/dev/workspace');
  assert.equal(folderInRepository('./a/b'), '/home/dev/workspace/a/b');
  assert.equal(folderInRepository('/srv'), '/srv');
});

it('a job makes its mark only after success, as root', () => {
  const job = {
    description: 'A job',
    folder: '/home/dev',
    command: 'x "$A"',
    afterwards: ['/usr/bin/touch', '/run/mark'],
    identifier: 'job',
  };
  const text = jobUnitText({ ...job, env: { A: 'b c' } });
  assert.match(text, /^Type=oneshot$/m);
  assert.match(text, /^Environment="A=b c"$/m);
  assert.match(text, /^ExecStart=\/bin\/bash -lc "x \\"\$\$A\\""$/m);
  assert.match(text, /^ExecStartPost=\+"\/usr\/bin\/touch" "\/run\/mark"$/m);
  assert.doesNotMatch(jobUnitText(job), /^Environment=/m);
});
