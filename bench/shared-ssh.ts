/** A second `ssh` through the written configuration, over the connection that the first one left, beside a first one. */
import { join } from 'node:path';
import { until } from '../test/support/installation.ts';
import { untilBanner } from './bare-engine.ts';
import { ratioFigure, type Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { inTurn, timed } from './statistics.ts';
import { requestWorkspace } from './workspaces.ts';

export function benchSharedSsh({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const { ssh_port } = await requestWorkspace(nexus, 'bench');
    await untilBanner('127.0.0.1', ssh_port);
    await until(async () => (await nexus.nexus(['ssh', 'config'])).stdout.includes('ssh nexus-bench'), 'the host key');
    const ssh = (...args: string[]) => nexus.run('ssh', ['-F', join(nexus.home, '.ssh/config'), ...args]);
    const endShared = () => ssh('-O', 'exit', 'nexus-bench');
    const login = () => ssh('-o', 'BatchMode=yes', 'nexus-bench', 'true');
    try {
      // The key may be taken a moment after the banner.
      await until(async () => (await login()).exitCode === 0, 'the workspace to take the key');
      const second = () => timed(login);
      const first = async () => {
        await endShared();
        return timed(login);
      };
      const pair = await inTurn(runs * 3, second, first);
      return [ratioFigure('a second `ssh … true` over the shared connection | the first', pair, 0.1)];
    } finally {
      await endShared();
    }
  });
}
