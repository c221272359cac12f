/** Ways out of a workspace, tried by its root; and what the kernel counts by user, which two must not share. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { noEngine } from '../support/agent-lab.ts';
import { createTwoWorkspaces, lxc, type Cell, type TwoWorkspaces } from '../support/isolation/two-workspaces.ts';

const programs = join(import.meta.dirname, '../support/isolation');

describe('the walls of a workspace', { skip: noEngine || (process.getuid?.() !== 0 && 'needs root') }, () => {
  let world: TwoWorkspaces;
  let attacker: Cell;
  let victim: Cell;
  before(async () => {
    world = await createTwoWorkspaces();
    ({ attacker, victim } = world);
  });
  after(() => world?.[Symbol.asyncDispose]());

  async function python(cell: Cell, program: string, ...given: string[]): Promise<string> {
    const input = await readFile(join(programs, program), 'utf8');
    return (await lxc(['exec', cell.instance, '--', 'python3', '-', ...given], input)).stdout;
  }

  it('hold against mounts, devices, /proc/sys, /sys, its own limits and the calls that namespaces do not confine', async () => {
    const outcomes = JSON.parse(await python(attacker, 'escapes.py')) as Record<string, string | string[]>;
    const through = Object.entries(outcomes).filter(([, outcome]) => outcome === 'done');
    assert.deepEqual(through, []);
    assert.ok(Object.keys(outcomes).length > 45);
    assert.deepEqual([outcomes['sockets of the host'], outcomes['folders of the engine']], [[], []]);
    const refused = ['add_key', 'keyctl', 'request_key', 'io_uring_setup', 'vsock', 'subvolume'];
    const errors = ['ENOSYS', 'ENOSYS', 'ENOSYS', 'ENOSYS', 'EAFNOSUPPORT', 'EPERM'];
    assert.deepEqual(
      refused.map((name) => outcomes[name]),
      errors,
    );
  });

  it('stand between the users of two workspaces', async () => {
    const ranges = await Promise.all([attacker, victim].map(hostIds));
    const [[first, count], [second]] = ranges as [[number, number], [number, number]];
    assert.ok(first >= 65_536 && second >= 65_536 && count >= 65_536);
    assert.ok(Math.abs(first - second) >= count, `${first} ${second}`);
  });

  for (const user of ['root', 'dev']) {
    it(`keep what the kernel counts by user apart, for ${user}`, async () => {
      const script = await readFile(join(programs, 'exhaust.py'), 'utf8');
      await attacker.shell(`cat > /opt/exhaust.py <<'END'\n${script}\nEND`);
      await victim.shell(`cat > /opt/exhaust.py <<'END'\n${script}\nEND`);
      const command = ['runuser', '-u', user, '--', 'python3', '/opt/exhaust.py'];
      const holder = spawn('lxc', ['--project', 'nexus', 'exec', attacker.instance, '--', ...command, 'hold'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [held] = (await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])) as [Buffer | number];
      assert.equal(String(held), 'held\n');
      const used = JSON.parse((await lxc(['exec', victim.instance, '--', ...command, 'use'])).stdout) as object;
      assert.deepEqual(used, { pipe: 65_536, 'files in flight': 10, process: true });
      await attacker.shell('pkill -9 -f [e]xhaust.py');
      if (holder.exitCode === null) await once(holder, 'exit');
    });
  }
});

/** The first id of the host that a workspace's root has, and how many there are. */
async function hostIds(cell: Cell): Promise<[number, number]> {
  const { stdout } = await cell.shell('cat /proc/self/uid_map');
  const [inside, first, count, ...more] = stdout.trim().split(/\s+/).map(Number);
  assert.deepEqual([inside, more], [0, []]);
  return [first ?? 0, count ?? 0];
}
