/**
 * A whole node, from nothing to a workspace and back, on the real engine: in a project and a pool of its own, beside
 * what is there.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { execa } from 'execa';
import { newId } from '../../src/contract/ids.ts';
import { checkNode } from '../../src/agent/node-setup/check-node.ts';
import { setUpNode } from '../../src/agent/node-setup/set-up-node.ts';
import { tearDownNode } from '../../src/agent/node-setup/tear-down-node.ts';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import { createLxcProvider } from '../../src/agent/providers/lxc/lxc-provider.ts';
import { smallLimits } from '../conformance/real-providers.ts';

const absent = process.getuid?.() !== 0 ? 'needs root' : findSocket() === null && 'there is no LXD or Incus here';
const name = `nexus-test-${randomBytes(3).toString('hex')}`;
const node = { project: name, pool: name, poolBytes: 6 * 1024 ** 3 };

async function namesOf(kind: 'project' | 'storage'): Promise<string[]> {
  const { stdout } = await execa('lxc', [kind, 'list', '--format', 'json']);
  return (JSON.parse(stdout) as { name: string }[]).map((found) => found.name);
}

describe('a node', { skip: absent }, () => {
  after(() => tearDownNode(node));

  it('is told what it lacks', async () => {
    const findings = await checkNode(node);
    const lacking = findings.filter(({ ok }) => !ok).map((finding) => finding.name);
    assert.deepEqual(lacking, ['storage', 'project', 'base', 'room']);
    assert.ok(findings.filter(({ ok }) => !ok).every(({ fix }) => fix === 'sudo nexus node setup'));
  });

  it('is set up', async () => {
    const lines: string[] = [];
    const results = await setUpNode({ ...node, onStep: (line) => lines.push(line) });
    const done = results.filter(({ status }) => status === 'done').map((result) => result.name);
    assert.deepEqual(done, ['storage', 'project', 'base']);
    assert.ok(lines.some((line) => line.startsWith('base: ')));
    assert.ok((await namesOf('project')).includes(name) && (await namesOf('storage')).includes(name));
    assert.ok((await checkNode(node)).every(({ ok }) => ok));
  });

  it('is left as it is the second time, within a second', async () => {
    const startedAt = performance.now();
    const results = await setUpNode(node);
    assert.ok(results.every(({ status }) => status === 'unchanged'));
    assert.ok(performance.now() - startedAt < 1000);
  });

  it('follows a change of what it takes over from the machine', async () => {
    const before = await baseConfig();
    const provider = createLxcProvider({ ...node, clusterId: name, relayCommand: [], carrySurroundings: false });
    await provider.ensureBase({ image: 'debian:12', packages: [] }, {});
    const after = await baseConfig();
    assert.equal(after.name, before.name);
    assert.equal(after.config['environment.SSL_CERT_FILE'], undefined);
    assert.equal(after.config['environment.LANG'], 'C.UTF-8');
  });

  it('installs packages without starting what is in them', async () => {
    await using provider = createLxcProvider({ ...node, clusterId: name, relayCommand: [], carrySurroundings: false });
    const lines: string[] = [];
    const spec = { image: 'debian:12', packages: ['redis-server'] };
    const [base] = await Promise.all([
      provider.ensureBase(spec, { onProgress: (line) => lines.push(line) }),
      provider.ensureBase(spec, {}),
    ]);
    assert.equal(lines.filter((line) => line === 'installing redis-server').length, 1);
    const id = newId('ws');
    await provider.create({ id, base, hostname: 'redis', limits: smallLimits });
    await provider.start(id);
    const script =
      'while ! systemctl is-system-running | grep -E "running|degraded"; do sleep 0.1; done; command -v redis-server; pgrep redis';
    const handle = await provider.exec(id, { command: ['bash', '-c', script] });
    handle.stdin.end();
    assert.equal(
      Buffer.concat((await handle.stdout.toArray()) as Buffer[]).toString(),
      'running\n/usr/bin/redis-server\n',
    );
  });

  it('gives up waiting for a base when nobody waits any more', async () => {
    await using provider = createLxcProvider({ ...node, clusterId: name, relayCommand: [], carrySurroundings: false });
    const spec = { image: 'debian:12', packages: [] };
    await assert.rejects(provider.ensureBase(spec, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.ok(await provider.ensureBase(spec, { signal: new AbortController().signal }));
  });

  it('is removed with all that is in it, and nothing else', async () => {
    const others = [await namesOf('project'), await namesOf('storage')].map((all) =>
      all.filter((found) => found !== name),
    );
    await tearDownNode(node);
    await tearDownNode(node);
    assert.deepEqual([await namesOf('project'), await namesOf('storage')], others);
    // Another project of ours on this machine goes on needing its rules.
    if (others[0]?.includes('nexus')) {
      assert.ok((await execa('nft', ['list', 'table', 'inet', 'nexus'])).stdout.includes('masquerade'));
      assert.ok(existsSync('/etc/sysctl.d/60-nexus.conf'));
    }
  });
});

async function baseConfig(): Promise<{ name: string; config: Record<string, string> }> {
  const { stdout } = await execa('lxc', ['list', '--project', name, '--format', 'json', '^base-']);
  const [base] = JSON.parse(stdout) as { name: string; config: Record<string, string> }[];
  assert.ok(base);
  return base;
}
