import type { ServiceSpec } from '../contract/service-spec.ts';
import { isDatabasePort } from './ports.ts';

/** Schemes by which clients of the well-known servers name them; every other port is spoken to over HTTP. */
const schemeByPort: ReadonlyMap<number, string> = new Map([
  [1433, 'sqlserver'],
  [3306, 'mysql'],
  [4222, 'nats'],
  [5432, 'postgresql'],
  [5672, 'amqp'],
  [6379, 'redis'],
  [9042, 'cassandra'],
  [11211, 'memcached'],
  [27017, 'mongodb'],
]);

/** `api-v2` → `NEXUS_SERVICE_API_V2_`. */
export function serviceVariablePrefix(service: string): string {
  return `NEXUS_SERVICE_${service.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_`;
}

/** Mapped on the host unless it says otherwise, or is a known database (cli.md); without a port there is nothing to map. */
export function isExposed(service: Pick<ServiceSpec, 'port' | 'expose'>): boolean {
  if (service.port === undefined) return false;
  return service.expose ?? !isDatabasePort(service.port);
}

/** What every service and every login shell of a workspace finds in its environment. */
export function workspaceEnv(
  workspace: { readonly id: string; readonly name: string },
  services: readonly Pick<ServiceSpec, 'name' | 'port'>[],
): Record<string, string> {
  const env: Record<string, string> = { NEXUS_WORKSPACE_ID: workspace.id, NEXUS_WORKSPACE_NAME: workspace.name };
  for (const { name, port } of services) {
    const prefix = serviceVariablePrefix(name);
    env[`${prefix}HOST`] = '127.0.0.1';
    if (port === undefined) continue;
    env[`${prefix}PORT`] = String(port);
    env[`${prefix}URL`] = `${schemeByPort.get(port) ?? 'http'}://127.0.0.1:${port}`;
  }
  return env;
}
