import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import type { ExecHandle, Provider } from '../providers/provider.ts';
import { runScript } from './run-script.ts';

function fakeExec(output: string | null, exitCode: Promise<number>): { provider: Provider; signals: string[] } {
  const signals: string[] = [];
  const handle: ExecHandle = {
    stdin: new PassThrough(),
    stdout: output === null ? new PassThrough() : Readable.from([Buffer.from(output)]),
    stderr: output === null ? new PassThrough() : Readable.from([]),
    exitCode,
    resize: () => undefined,
    kill: (signal) => void signals.push(signal),
  };
  return { provider: { exec: async () => handle } as unknown as Provider, signals };
}

const id = 'ws-abcdefghijkl';

test('a script says what it has to say, and that this was all', async () => {
  const { provider } = fakeExec('key\tvalue\nend\n', Promise.resolve(1));
  const { exitCode, lines } = await runScript(provider, id, { script: 'facts' });
  assert.deepEqual([exitCode, lines], [1, ['key\tvalue']]);
});

test('a script whose output was lost did not succeed; one that was killed has none', async () => {
  for (const output of ['', 'key\tvalue\n']) {
    const { provider } = fakeExec(output, Promise.resolve(0));
    await assert.rejects(runScript(provider, id, { script: 'facts' }), { code: 'stream_failed' });
  }
  const { provider } = fakeExec('', Promise.resolve(137));
  assert.equal((await runScript(provider, id, { script: 'facts' })).exitCode, 137);
});

test('a script of which its engine never says the end is given up some time after it was killed', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { provider, signals } = fakeExec(null, new Promise(() => undefined));
  const outcome = runScript(provider, id, { script: 'facts', timeoutMs: 30_000 });
  const refused = assert.rejects(outcome, { code: 'timeout' });
  await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(30_000);
  assert.deepEqual(signals, ['SIGKILL']);
  context.mock.timers.tick(5_000);
  await refused;
});
