import type { HealthCheck, ServiceSpec } from '../../contract/service-spec.ts';
import { folderInRepository } from '../guest/workspace-paths.ts';

/**
 * How the monitor in the workspace asks for a service's health: a field a record, each ended by a NUL. Type (tcp, http,
 * command, none), port, path or folder, command, interval (ms), timeout (s), retries.
 */
export function probeFile(spec: Pick<ServiceSpec, 'health_check' | 'port' | 'cwd'>): string {
  const check = spec.health_check;
  if (!check) return '';
  const fields = [...question(check, spec), Math.round(check.interval * 1000), check.timeout, check.retries];
  return fields.map((field) => `${field}\0`).join('');
}

function question(check: HealthCheck, spec: Pick<ServiceSpec, 'port' | 'cwd'>): readonly (string | number)[] {
  switch (check.type) {
    case 'tcp':
      return ['tcp', check.port ?? spec.port ?? 0, '', ''];
    case 'http':
      return ['http', check.port ?? spec.port ?? 80, check.path, ''];
    case 'exec':
    case 'custom':
      return ['command', 0, folderInRepository(spec.cwd), check.command];
  }
}
