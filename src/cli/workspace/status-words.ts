import type { ServiceHealth, ServiceStatus, ServiceView, WorkspaceStatus } from '../../contract/workspace.ts';
import type { Paint, Style } from '../terminal/paint.ts';

const workspaceStyles: Readonly<Record<WorkspaceStatus, Style>> = {
  pending: 'cyan',
  creating: 'cyan',
  running: 'green',
  stopping: 'yellow',
  stopped: 'dim',
  error: 'red',
  deleting: 'yellow',
};

const serviceStyles: Readonly<Record<ServiceStatus, Style>> = {
  pending: 'dim',
  starting: 'cyan',
  running: 'green',
  unhealthy: 'yellow',
  stopped: 'dim',
  error: 'red',
};

const healthStyles: Readonly<Record<ServiceHealth, Style>> = {
  healthy: 'green',
  unhealthy: 'red',
  unknown: 'dim',
  timeout: 'yellow',
};

export function workspaceStatusWord(status: WorkspaceStatus, color: Paint): string {
  return color[workspaceStyles[status]](status);
}

export function serviceStatusWord(status: ServiceStatus, color: Paint): string {
  return color[serviceStyles[status]](status);
}

export function healthWord(health: ServiceHealth, color: Paint): string {
  return color[healthStyles[health]](health);
}

/** `http://…` where it is reached, or how to reach it. */
export function serviceAddress(service: ServiceView, workspaceName: string): string {
  if (service.url !== null) return service.url;
  if (service.port === null) return '';
  return `nexus workspace port ${workspaceName} ${service.port}`;
}
