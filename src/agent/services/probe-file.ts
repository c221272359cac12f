import type { HealthCheck, ServiceSpec } from '../../contract/service-spec.ts';
import { folderInRepository } from '../guest/workspace-paths.ts';

const separator = '\u001e';

/**
 * How the monitor in the workspace asks for a service's health: type (tcp, http, command), port, path or folder, command,
 * interval (ms), timeout (s), retries; each ended by ASCII's record separator. Empty: it need only run.
 */
export function probeFile(spec: Pick<ServiceSpec, 'health_check' | 'port' | 'cwd'>): string {
  const check = spec.health_check;
  if (!check) return '';
  const fields = [...question(check, spec), Math.round(check.interval * 1000), check.timeout, check.retries];
  return fields.map((field) => `${field}${separator}`).join('');
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
