import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { holdInput } from './hold-input.ts';

/** Long enough for bytes to get through a pipe. */
async function turn(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

function read(stream: PassThrough): Buffer | null {
  return stream.read() as Buffer | null;
}

function text(stream: PassThrough): string {
  let said = '';
  for (let chunk = read(stream); chunk !== null; chunk = read(stream)) said += chunk.toString();
  return said;
}

test('what went into a tunnel that was never opened goes into the next one, and nothing twice', async () => {
  const input = new PassThrough();
  const held = holdInput(input);
  const [first, second, third] = [new PassThrough(), new PassThrough(), new PassThrough()];
  input.write('one ');
  await turn();
  held.sayAgain(first);
  input.pipe(first);
  await turn();
  assert.equal(text(first), 'one ');
  input.unpipe(first);
  input.write('two ');
  held.sayAgain(second);
  input.pipe(second);
  await turn();
  assert.equal(text(second), 'one two ');
  assert.ok(held.isWhole());
  held.forget();
  input.write('three');
  await turn();
  assert.equal(text(second), 'three');
  held.sayAgain(third);
  assert.equal(text(third), '');
  assert.ok(!held.isWhole());
});

test('a long speech is not kept', async () => {
  const input = new PassThrough();
  const held = holdInput(input);
  const output = new PassThrough();
  input.pipe(output.resume());
  for (let count = 0; count < 5; count += 1) input.write(Buffer.alloc(16 * 1024));
  await turn();
  assert.ok(!held.isWhole());
});
