/** The files of a service inside its workspace, all of them in /run: after a boot the plan starts services in order. */
import type { ServiceSpec } from '../../contract/service-spec.ts';
import type { GuestFile } from '../guest/guest-files.ts';
import { folderInRepository, paths } from '../guest/workspace-paths.ts';
import { environmentFile } from './environment-file.ts';
import { probeFile } from './probe-file.ts';
import { escapePath, quoteArgument } from './systemd-quote.ts';

/** The log of all our units is told apart by it. */
export const syslogFacility = { name: 'local3', number: 19 } as const;

export function serviceUnit(service: string): string {
  return `nexus-${service}.service`;
}

/** @param env of the whole workspace; the service's own wins */
export function serviceFiles(
  spec: ServiceSpec,
  env: Readonly<Record<string, string>>,
  scripts: { readonly backoff: string },
): GuestFile[] {
  const folder = `${paths.boot}/services`;
  return [
    { path: `${paths.boot}/backoff.sh`, content: scripts.backoff },
    {
      path: `${folder}/${spec.name}.env`,
      content: environmentFile({ ...env, ...spec.env }),
      mode: 0o640,
      owner: 'dev',
    },
    { path: `${folder}/${spec.name}.probe`, content: probeFile(spec) },
    { path: `${paths.units}/${serviceUnit(spec.name)}`, content: unitText(spec) },
  ];
}

/**
 * A death is followed by a restart after 1 s and what backoff.sh adds; 5 starts within 2 minutes, and the unit has
 * failed. Stopping ends the whole control group.
 */
export function unitText(spec: Pick<ServiceSpec, 'name' | 'command' | 'cwd'>): string {
  return `[Unit]
Description=Service ${spec.name} of this workspace
StartLimitIntervalSec=120
StartLimitBurst=5

[Service]
Type=exec
User=dev
WorkingDirectory=${escapePath(folderInRepository(spec.cwd))}
EnvironmentFile=${paths.boot}/services/${spec.name}.env
ExecStartPre=+/bin/bash ${paths.boot}/backoff.sh ${spec.name}
ExecStart=/bin/bash -lc ${quoteArgument(spec.command)}
Restart=always
RestartSec=1
KillMode=control-group
TimeoutStopSec=10
TasksMax=infinity
SyslogFacility=${syslogFacility.name}
SyslogLevelPrefix=no
LogRateLimitIntervalSec=0
`;
}
