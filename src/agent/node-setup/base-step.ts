import { removeEarlierBases } from '../providers/lxc/base-finish.ts';
import { hasBase } from '../providers/lxc/bases.ts';
import type { EngineClient } from '../providers/lxc/engine-client.ts';
import type { Provider } from '../providers/provider.ts';
import type { SetupStep } from './setup-step.ts';

/** The base for the image that workspaces have unless they ask for another: the first of them is quick, too. */
export function baseStep(engine: EngineClient, { provider, image }: { provider: Provider; image: string }): SetupStep {
  const spec = { image, packages: [] };
  return {
    name: 'base',
    describe: () => `workspaces can be copied from ${image}`,
    check: async () => ((await hasBase(engine, spec)) ? null : { detail: `there is no base of ${image}` }),
    async apply(onProgress) {
      await provider.ensureBase(spec, { onProgress });
      await removeEarlierBases(engine);
    },
  };
}
