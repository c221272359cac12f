import { syslogFacility } from '../services/service-files.ts';
import { quoteArgument, quoteValue } from '../services/systemd-quote.ts';
import { paths } from './workspace-paths.ts';

/**
 * A unit for something that ends: a clone, a hook. `systemctl start` waits for its end, joins it when it runs, and its
 * mark is made by the unit itself once it succeeded. Its name has no `-` after `nexus`, which tells it from services.
 */
export function jobUnitText(job: {
  readonly description: string;
  readonly folder: string;
  /** Run by dev's login shell. */
  readonly command: string;
  /** Run by root after success: the one that makes the mark. */
  readonly afterwards: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its lines are called in the log. */
  readonly identifier: string;
}): string {
  const env = Object.entries(job.env ?? {}).map(([name, value]) => `Environment=${quoteValue(`${name}=${value}`)}\n`);
  return `[Unit]
Description=${job.description}

[Service]
Type=oneshot
User=dev
WorkingDirectory=-${job.folder}
EnvironmentFile=-${paths.environment}
${env.join('')}ExecStart=/bin/bash -lc ${quoteArgument(job.command)}
ExecStartPost=+${job.afterwards.map(quoteArgument).join(' ')}
TimeoutStartSec=infinity
KillMode=control-group
TimeoutStopSec=10
TasksMax=infinity
SyslogIdentifier=${job.identifier}
SyslogFacility=${syslogFacility.name}
SyslogLevelPrefix=no
LogRateLimitIntervalSec=0
`;
}

export const cloneUnit = 'nexus.clone.service';

/** Also of jobs that this version does not know any more. */
export function isJobUnit(unit: string): boolean {
  return unit.startsWith('nexus.');
}

export function hookUnit(hook: string): string {
  return `nexus.hook-${hook}.service`;
}
