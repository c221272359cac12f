import type { Provider } from '../providers/provider.ts';
import type { SetupStep } from './setup-step.ts';

/** The base for the image that workspaces have unless they ask for another: the first of them is quick, too. */
export function baseStep({
  provider,
  image,
  isThere,
}: {
  readonly provider: Provider;
  readonly image: string;
  readonly isThere: () => Promise<boolean>;
}): SetupStep {
  return {
    name: 'base',
    describe: () => `workspaces can be copied from ${image}`,
    check: async () => ((await isThere()) ? null : { detail: `there is no base of ${image}` }),
    async apply(onProgress) {
      await provider.ensureBase({ image, packages: [] }, { onProgress });
    },
  };
}
