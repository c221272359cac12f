/** What people read of a workspace. */
import type { ErrorBody } from '../../contract/errors.ts';
import type { ServiceView, WorkspaceSummary, WorkspaceView } from '../../contract/workspace.ts';
import { formatAgo } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { paint } from '../terminal/paint.ts';
import { formatFields, formatTable } from '../terminal/table.ts';
import { healthWord, serviceAddress, serviceStatusWord, workspaceStatusWord } from './status-words.ts';
import { stepTitle } from './step-title.ts';

export function workspaceListText(
  workspaces: readonly WorkspaceSummary[],
  options: { output: Output; nowMs: number },
): string {
  const { output, nowMs } = options;
  const color = paint(output);
  return formatTable(
    ['NAME', 'STATUS', 'SERVICES', 'SSH', 'CREATED', 'ID'],
    workspaces.map((workspace) => [
      workspace.name,
      workspaceStatusWord(workspace.status, color),
      String(workspace.services_count),
      workspace.ssh_port === null ? '-' : String(workspace.ssh_port),
      formatAgo(workspace.created_at, nowMs),
      workspace.workspace_id,
    ]),
    output,
  );
}

export function servicesText(services: readonly ServiceView[], options: { workspace: string; output: Output }): string {
  const { workspace, output } = options;
  if (services.length === 0) return 'No services.\n';
  const color = paint(output);
  const table = formatTable(
    ['SERVICE', 'STATUS', 'HEALTH', 'URL', 'COMMAND'],
    services.map((service) => [
      service.name,
      serviceStatusWord(service.status, color),
      healthWord(service.health, color),
      serviceAddress(service, workspace),
      service.command.split('\n')[0] ?? '',
    ]),
    output,
  );
  return `${table}${services.map(({ error }) => problemText(error, { workspace, output })).join('')}`;
}

/** What is wrong, and what to do next; nothing when nothing is. */
export function problemText(error: ErrorBody | null, options: { workspace: string; output: Output }): string {
  if (error === null) return '';
  const color = paint(options.output);
  const next = error.hint ? `  ${color.cyan('→')} ${error.hint.replace('NAME', options.workspace)}\n` : '';
  return `${color.yellow('!')} ${error.message}\n${next}`;
}

/** Those that are not told at a service already. */
export function ownWarnings({ warnings, services }: WorkspaceView): string[] {
  const told = new Set(Object.values(services).map(({ error }) => error?.message));
  return warnings.filter((warning) => !told.has(warning));
}

/** `running`, with the step that is under way. */
export function statusLine(view: WorkspaceView, output: Output): string {
  const color = paint(output);
  const step = view.step === null ? '' : color.dim(` (${stepTitle(view.step)})`);
  return `${workspaceStatusWord(view.status, color)}${step}`;
}

function sshCommand(view: WorkspaceView): string {
  return view.ssh.port === null
    ? `nexus ssh ${view.name}`
    : `ssh -p ${view.ssh.port} ${view.ssh.user}@${view.ssh.host}`;
}

/** Everything of a workspace: project, place, status, services, SSH, what is wrong. */
export function workspaceText(view: WorkspaceView, options: { output: Output; nowMs: number }): string {
  const { output, nowMs } = options;
  const color = paint(output);
  const { repository } = view;
  const { commit: hash } = repository;
  const commit = hash === null ? '' : /^0+$/.test(hash) ? ', nothing committed yet' : ` at ${hash.slice(0, 10)}`;
  const fields: (readonly [string, string])[] = [
    [
      'Workspace',
      `${color.bold(view.name)} (${view.workspace_id}), of ${view.owner}, made ${formatAgo(view.created_at, nowMs)}`,
    ],
    [
      'Repository',
      `${repository.owner}/${repository.name}${repository.branch === null ? '' : `, ${repository.branch}`}${commit}`,
    ],
    ['Runs on', `${view.node ?? 'no node yet'}, ${view.provider}, ${view.image}`],
    ['Status', statusLine(view, output)],
    ['SSH', sshCommand(view)],
    ...ownWarnings(view).map((warning) => ['Warning', color.yellow(warning)] as const),
    ...(view.error === null ? [] : [['Error', color.red(view.error.message)] as const]),
    ...(view.error?.hint ? [['', `→ ${view.error.hint.replace('NAME', view.name)}`] as const] : []),
  ];
  const services = Object.values(view.services);
  return `${formatFields(fields, output)}\n${servicesText(services, { workspace: view.name, output })}`;
}

/** The end of a creation: the same, and what to do next. */
export function workspaceSummaryText(
  view: WorkspaceView,
  options: { output: Output; nowMs: number; nextSteps: readonly string[] },
): string {
  const color = paint(options.output);
  const steps = options.nextSteps.map((step) => `  ${step}\n`).join('');
  return `${workspaceText(view, options)}\n${color.bold('Next')}\n${steps}`;
}
