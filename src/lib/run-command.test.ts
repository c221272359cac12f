import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CommandError, runCommand } from './run-command.ts';

const timeoutMs = 10_000;

it('gives the output of a command, with input, folder and environment', async () => {
  const result = await runCommand(['sh', '-c', 'cat; pwd; echo "$A" >&2'], {
    timeoutMs,
    stdin: 'in\n',
    cwd: '/',
    env: { A: 'b' },
  });
  assert.deepEqual(result, { exitCode: 0, stdout: 'in\n/', stderr: 'b' });
});

it('hands on lines as they come', async () => {
  const lines: string[] = [];
  await runCommand(['sh', '-c', 'echo one; echo two >&2; echo three'], {
    timeoutMs,
    onLine: (line) => lines.push(line),
  });
  assert.deepEqual(lines.toSorted(), ['one', 'three', 'two']);
});

it('fails with what the command said', async () => {
  await assert.rejects(runCommand(['sh', '-c', 'echo why >&2; exit 3'], { timeoutMs }), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.result.exitCode, 3);
    assert.match(error.message, /ended with 3: why/);
    return true;
  });
  await assert.rejects(
    runCommand(['sh', '-c', 'echo out; exit 1'], { timeoutMs, onLine: () => undefined }),
    /ended with 1: out/,
  );
  await assert.rejects(runCommand(['false'], { timeoutMs }), /^CommandError: false ended with 1$/);
});

it('fails when there is no such command', async () => {
  await assert.rejects(runCommand(['no-such-command'], { timeoutMs }), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.result.exitCode, -1);
    return true;
  });
});

it('fails when it takes too long, and when it is given up', async () => {
  await assert.rejects(runCommand(['sleep', '1000'], { timeoutMs: 50 }), { timedOut: true });
  const controller = new AbortController();
  const running = runCommand(['sleep', '1000'], { timeoutMs, signal: controller.signal });
  controller.abort();
  await assert.rejects(running, CommandError);
});
