/** `POST /workspaces` to sshd's banner through the gateway, beside the engine's own copy + start + banner. */
import { untilBanner } from './bare-engine.ts';
import { modelWorkspace, timeBare } from './bare-workspace.ts';
import { ratioFigure, type Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { inTurn, timed } from './statistics.ts';
import { deleteAll, requestWorkspace } from './workspaces.ts';

export function benchCreate({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const model = await modelWorkspace(nexus);
    const pair = await inTurn(
      runs,
      async (run) => {
        const elapsed = await timed(async () => {
          const { ssh_port } = await requestWorkspace(nexus, `bench-${run}`);
          await untilBanner('127.0.0.1', ssh_port);
        });
        await deleteAll(nexus);
        return elapsed;
      },
      () => timeBare(model, 1),
    );
    return [ratioFigure('`POST /workspaces` to the SSH banner | copy + start + banner', pair, 1.3)];
  });
}
