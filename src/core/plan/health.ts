import type { ServiceReport } from '../../contract/control-protocol.ts';
import { healthCheck, type HealthCheck, type ServiceSpec } from '../../contract/service-spec.ts';

/** How long a service has, from its start, to become healthy before those that depend on it are given up (cli.md). */
export const healthyWithinMs = 30_000;

/** The check that is asked for, else that something listens on the service's port; null: it need only run. */
export function effectiveHealthCheck(spec: Pick<ServiceSpec, 'port' | 'health_check'>): HealthCheck | null {
  if (spec.health_check) return spec.health_check;
  return spec.port === undefined ? null : healthCheck.parse({ type: 'tcp', port: spec.port });
}

export function isHealthy(spec: ServiceSpec, report: ServiceReport): boolean {
  if (report.state !== 'running') return false;
  return report.health === 'healthy' || effectiveHealthCheck(spec) === null;
}
