/** What the kernel says of an instance's control group, on the host; in either version of control groups. */
import { readFile } from 'node:fs/promises';
import { lxc } from './two-workspaces.ts';

export type HostControls = {
  processes(): Promise<number>;
  /** How often the kernel ended one of its processes for memory. */
  memoryKills(): Promise<number>;
  /** Its weight where processors are short; 1 is what a group has by default. */
  processorWeight(): Promise<number>;
};

export async function hostControls(instance: string): Promise<HostControls> {
  const { stdout } = await lxc(['info', instance]);
  const [, pid = ''] = /^PID: (\d+)$/m.exec(stdout) ?? [];
  const groups = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');

  /** The folder of the instance's whole group, in which its init's own is. */
  function folder(controller: string): string {
    const found = groups.map((line) => line.split(':')).find(([, names = '']) => names.split(',').includes(controller));
    const path = (found ?? groups.at(-1)?.split(':') ?? [])
      .slice(2)
      .join(':')
      .replace(/(\/lxc\.payload\.[^/]+).*/, '$1');
    return found ? `/sys/fs/cgroup/${controller}${path}` : `/sys/fs/cgroup${path}`;
  }
  const text = (controller: string, file: string): Promise<string> =>
    readFile(`${folder(controller)}/${file}`, 'utf8').catch(() => '');

  return {
    processes: async () => Number(await text('pids', 'pids.current')),
    async memoryKills() {
      const events = (await text('memory', 'memory.oom_control')) || (await text('memory', 'memory.events'));
      return Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? Number.NaN);
    },
    async processorWeight() {
      const shares = await text('cpu', 'cpu.shares');
      return shares ? Number(shares) / 1024 : Number(await text('cpu', 'cpu.weight')) / 100;
    },
  };
}
