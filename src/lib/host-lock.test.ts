import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withHostLock } from './host-lock.ts';

const name = `test-${process.pid}`;

it('lets one in at a time, and gives what the task gives', async () => {
  let inside = 0;
  let waits = 0;
  const enter = () =>
    withHostLock(
      name,
      async () => {
        assert.equal(++inside, 1);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        return 'done';
      },
      { onWait: () => waits++ },
    );
  assert.deepEqual(await Promise.all([enter(), enter(), enter()]), ['done', 'done', 'done']);
  assert.ok(waits > 0);
});

it('is free again after a failure', async () => {
  await assert.rejects(
    withHostLock(name, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await withHostLock(name, async () => 1), 1);
});

it('is free again when its holder was killed', async () => {
  const script = `const { withHostLock } = await import(${JSON.stringify(new URL('./host-lock.ts', import.meta.url).href)});
    await withHostLock('${name}', () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000); }));`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await once(holder.stdout, 'data');
  const entered = withHostLock(name, async () => 'mine', { onWait: () => holder.kill('SIGKILL') });
  assert.equal(await entered, 'mine');
});

it('can be given up waiting for', async () => {
  const controller = new AbortController();
  await withHostLock(name, async () => {
    const waiting = withHostLock(name, async () => 1, { onWait: () => controller.abort(), signal: controller.signal });
    await assert.rejects(waiting, { name: 'AbortError' });
  });
});

it('lets everybody have it who asks for it again and again at the same time', async () => {
  const name = `test-${process.pid}-many`;
  let holders = 0;
  let held = 0;
  const hold = async (): Promise<void> => {
    assert.equal((holders += 1), 1);
    held += 1;
    await nextTurn();
    holders -= 1;
  };
  const insist = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await withHostLock(name, hold);
  };
  await Promise.all(Array.from({ length: 10 }, insist));
  assert.equal(held, 500);
});
