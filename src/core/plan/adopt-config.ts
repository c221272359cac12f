/**
 * What a configuration that was read changes about its workspace. As long as the instance's base lacks something that
 * it asks for, only the wanted base is changed: the plan then makes the instance anew, and reads again.
 */
import type { Observation } from '../../contract/control-protocol.ts';
import type { ResolvedConfig } from '../../contract/service-spec.ts';
import type { CreateWorkspaceRequest } from '../../contract/workspace.ts';
import { baseKey } from './attempts.ts';

export type Adoption =
  | { readonly kind: 'base'; readonly image: string; readonly packages: readonly string[] }
  | { readonly kind: 'config'; readonly config: ResolvedConfig };

export function adoptConfig(
  row: {
    readonly image: string;
    readonly request: Pick<CreateWorkspaceRequest, 'image' | 'packages' | 'services'>;
    readonly config: ResolvedConfig | null;
  },
  observation: Observation & { readonly config: ResolvedConfig },
): Adoption {
  const { request } = row;
  const image = request.image ?? observation.config.image ?? row.image;
  const packages = [...new Set([...(request.packages ?? []), ...observation.config.packages])].toSorted();
  const isOfWantedBase = observation.base === null || baseKey(observation.base) === baseKey({ image, packages });
  if (row.config === null && !isOfWantedBase) return { kind: 'base', image, packages };
  return { kind: 'config', config: withRequestedServices(observation.config, request.services) };
}

/** Services given in the request win over the repository's (api.md). */
function withRequestedServices(config: ResolvedConfig, services: CreateWorkspaceRequest['services']): ResolvedConfig {
  return services === undefined ? config : { ...config, source: 'request', services };
}
