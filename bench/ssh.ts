/** SSH through the gateway beside SSH straight to the instance: a command's time, and 1 GB. */
import { execa } from 'execa';
import { join } from 'node:path';
import { until } from '../test/support/installation.ts';
import { untilBanner } from './bare-engine.ts';
import { addressOf } from './bare-workspace.ts';
import { ratioFigure, type Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { inTurn, timed } from './statistics.ts';
import { requestWorkspace } from './workspaces.ts';

/** Arguments of ssh, up to the command. */
type Target = { readonly gateway: readonly string[]; readonly straight: readonly string[] };

const oneGigabyte = 1_000_000_000;

export function benchCommand({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withTarget(async ({ gateway, straight }) => {
    const login = (ssh: readonly string[]) => () => timed(() => execa('ssh', [...ssh, 'true']));
    const pair = await inTurn(runs * 3, login(gateway), login(straight));
    return [ratioFigure('`ssh … true` through the gateway | straight', pair, 1.1)];
  });
}

/** Out of the workspace, over one connection. */
export function benchDownload({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withTarget(async ({ gateway, straight }) => {
    const read = (ssh: readonly string[]) => () =>
      timed(() => execa('ssh', [...ssh, `head -c ${oneGigabyte} /dev/zero`], { stdout: 'ignore' }));
    const pair = await inTurn(Math.ceil(runs / 2), read(gateway), read(straight));
    // A time ratio of 1.11 is a throughput ratio of 0.9.
    return [ratioFigure('1 GB over ssh through the gateway | straight', pair, 1.11)];
  });
}

function withTarget<T>(use: (target: Target) => Promise<T>): Promise<T> {
  return withInstallation(async (nexus) => {
    const { workspace_id, ssh_port } = await requestWorkspace(nexus, 'bench-ssh');
    await untilBanner('127.0.0.1', ssh_port);
    const quiet = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes'];
    const options = ['-F', 'none', '-i', join(nexus.home, '.ssh/id_ed25519'), ...quiet.flatMap((o) => ['-o', o])];
    const target = {
      gateway: [...options, '-p', String(ssh_port), 'dev@127.0.0.1'],
      straight: [...options, `dev@${await addressOf(workspace_id)}`],
    };
    // The key may be taken a moment after the banner.
    await until(
      async () => (await execa('ssh', [...target.gateway, 'true'], { reject: false })).exitCode === 0,
      'the workspace to take the key',
    );
    return use(target);
  });
}
