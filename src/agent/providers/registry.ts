import { createLxcProvider, type LxcOptions } from './lxc/lxc-provider.ts';
import type { Provider, ProviderName } from './provider.ts';

export type ProviderOptions = Pick<LxcOptions, 'clusterId' | 'relayCommand' | 'openCommandsFolder'>;

/** Every provider that there is. A new one is a folder beside this file and a line here. */
export const providers: Readonly<Partial<Record<ProviderName, (options: ProviderOptions) => Provider>>> = {
  lxc: createLxcProvider,
};
