/** SSH through the gateway beside SSH straight to the instance: a command's time, and 1 GB. */
import { execa } from 'execa';
import { join } from 'node:path';
import { api, type Installation } from '../test/support/installation.ts';
import { engine, untilBanner } from './bare-engine.ts';
import { inTurn, timed } from './statistics.ts';

export type Target = { readonly gateway: readonly string[]; readonly straight: readonly string[] };

const oneGigabyte = 1_000_000_000;

export async function withTarget<T>(nexus: Installation, use: (target: Target) => Promise<T>): Promise<T> {
  const body = { workspace_name: 'bench-ssh', repo: { owner: 'bench', name: 'ssh', source: 'upload' }, services: [] };
  const created = await api<{ workspace_id: string; ssh_port: number }>(nexus, 'POST', '/workspaces', body);
  await untilBanner('127.0.0.1', created.ssh_port);
  const state = (await engine('GET', `/1.0/instances/nexus-${created.workspace_id.slice(3)}`)) as {
    devices: Record<string, Record<string, string>>;
  };
  const address = Object.values(state.devices).find((device) => device['type'] === 'nic')?.['ipv4.address'] ?? '';
  const common = [
    '-i',
    join(nexus.home, '.ssh/id_ed25519'),
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
    '-o',
    'BatchMode=yes',
    '-F',
    'none',
  ];
  const target = {
    gateway: [...common, '-p', String(created.ssh_port), 'dev@127.0.0.1'],
    straight: [...common, `dev@${address}`],
  };
  try {
    await untilLogin(target.gateway);
    return await use(target);
  } finally {
    await api(nexus, 'DELETE', `/workspaces/${created.workspace_id}?force=true`);
  }
}

/** The keys may be taken a moment after the banner. */
async function untilLogin(ssh: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await execa('ssh', [...ssh, 'true'], { reject: false })).exitCode === 0) return;
  }
  throw new Error('the workspace does not take the key');
}

export function benchCommand(target: Target, runs: number) {
  return inTurn(
    runs,
    () => timed(() => execa('ssh', [...target.gateway, 'true'])),
    () => timed(() => execa('ssh', [...target.straight, 'true'])),
  );
}

/** Milliseconds for 1 GB out of the workspace, over one connection. */
export function benchDownload(target: Target, runs: number) {
  const read = (ssh: readonly string[]) => () =>
    timed(() => execa('ssh', [...ssh, `head -c ${oneGigabyte} /dev/zero`], { stdout: 'ignore' }));
  return inTurn(runs, read(target.gateway), read(target.straight));
}
