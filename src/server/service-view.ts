import { serviceSpec } from '../contract/service-spec.ts';
import type { ServiceView } from '../contract/workspace.ts';
import type { ServiceRow } from './store/schema.ts';

/** How the API and the events show a service. */
export function serviceView(row: ServiceRow, options: { readonly publicHost: string }): ServiceView {
  const spec = serviceSpec.parse(JSON.parse(row.spec_json));
  return {
    name: row.name,
    status: row.status as ServiceView['status'],
    port: spec.port ?? null,
    mapped_port: row.mapped_port,
    health: row.health as ServiceView['health'],
    url: row.mapped_port === null ? null : `http://${options.publicHost}:${row.mapped_port}`,
    last_check: row.last_check,
    command: spec.command,
    error: row.error_json === null ? null : (JSON.parse(row.error_json) as ServiceView['error']),
  };
}
