import type { ServiceSpec } from '../../contract/service-spec.ts';
import { isDatabasePort } from '../ports.ts';

/** Seconds between two health checks, seconds for one, and failures in a row that count. */
export const defaultTiming = { interval: 5, timeout: 3, retries: 5 } as const;

/**
 * A service with what it leaves open filled in: a service with a port is mapped on the host unless the port is a known
 * database's, and is healthy when its port takes connections.
 */
export function completeService(service: ServiceSpec): ServiceSpec {
  const { port, health_check: check } = service;
  const health = check ?? (port === undefined ? undefined : ({ type: 'tcp', ...defaultTiming } as const));
  const asksPort = health?.type === 'tcp' || health?.type === 'http';
  return {
    ...service,
    ...(port === undefined ? {} : { expose: service.expose ?? !isDatabasePort(port) }),
    ...(health === undefined ? {} : { health_check: asksPort && port !== undefined ? { port, ...health } : health }),
  };
}
