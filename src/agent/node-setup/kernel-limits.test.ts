import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { kernelLimits, kernelLimitsStep } from './kernel-limits.ts';

async function withKernel(
  values: Readonly<Record<string, number>>,
  test: (file: string, root: string) => Promise<void>,
) {
  const root = await mkdtemp(join(tmpdir(), 'nexus-kernel-'));
  for (const [key, value] of Object.entries(values)) {
    const path = join(root, key.replaceAll('.', '/'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${value}\n`);
  }
  await test(join(root, '60-nexus.conf'), root);
  await rm(root, { recursive: true });
}

it('names what is too low', () =>
  withKernel({ ...kernelLimits, 'kernel.keys.maxkeys': 200 }, async (file, root) => {
    assert.deepEqual(await kernelLimitsStep({ file, root }).check(), { detail: 'kernel.keys.maxkeys is 200' });
  }));

it('says what the next boot would lose, and keeps what is higher already', () =>
  withKernel({ ...kernelLimits, 'vm.max_map_count': 999_999 }, async (file, root) => {
    const step = kernelLimitsStep({ file, root });
    assert.match((await step.check())?.detail ?? '', /^the next boot would lose fs\.inotify/);
    await step.apply(() => undefined);
    assert.equal(await step.check(), null);
    const kept = await readFile(file, 'utf8');
    assert.match(kept, /^vm\.max_map_count = 999999$/m);
    assert.match(kept, /^net\.ipv4\.ip_forward = 1$/m);
    assert.ok(step.describe());
  }));

it('does not miss what this kernel does not have', () =>
  withKernel({}, async (file, root) => {
    const step = kernelLimitsStep({ file, root });
    await step.apply(() => undefined);
    assert.equal(await step.check(), null);
  }));
