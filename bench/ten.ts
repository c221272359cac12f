/** Ten workspaces created at once until all run, beside ten copies, starts and banners of the engine at once. */
import { modelWorkspace, timeBare } from './bare-workspace.ts';
import { milliseconds, range, type Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { inTurn, timed } from './statistics.ts';
import { emptyBundle } from '../test/support/empty-bundle.ts';
import { createWorkspace, deleteAll, untilRunning } from './workspaces.ts';

const mostMs = 20_000;
const places = Array.from({ length: 10 }, (_, place) => place);

export function benchTen({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const [model, bundle] = [await modelWorkspace(nexus), await emptyBundle(nexus)];
    const pair = await inTurn(
      Math.ceil(runs / 4),
      async () => {
        const elapsed = await timed(async () => {
          await Promise.all(places.map((place) => createWorkspace(nexus, bundle, `ten-${place}`)));
          await untilRunning(nexus, places.length);
        });
        await deleteAll(nexus);
        return elapsed;
      },
      () => timeBare(model, places.length),
    );
    return [
      {
        what: 'ten workspaces created at once until all run | ten copies, starts and banners at once',
        ours: milliseconds(pair.ours),
        theirs: milliseconds(pair.theirs),
        compared: `${range(pair.ratio, 2)} times`,
        bound: `${mostMs / 1000} s`,
        isWithin: pair.ours.max <= mostMs,
      },
    ];
  });
}
