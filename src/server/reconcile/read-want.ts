/** What the database says of a workspace, as the plan wants it. */
import { sql } from 'kysely';
import { agentCommand, type AgentCommand } from '../../contract/control-protocol.ts';
import type { ErrorBody } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { resolvedConfig, serviceSpec, type ResolvedConfig } from '../../contract/service-spec.ts';
import type { CreateWorkspaceRequest, WorkspaceStatus } from '../../contract/workspace.ts';
import type { Done, Want } from '../../core/plan/plan-types.ts';
import { repositoryUrl } from '../repository-url.ts';
import type { GitCredentialRow, OperationRow, ServiceRow, UserRow, WorkspaceRow } from '../store/schema.ts';
import { findGitCredential } from '../store/git-credentials.ts';
import { listServices } from '../store/services.ts';
import type { Db } from '../store/store.ts';
import { findUser } from '../store/users.ts';
import { findWorkspace } from '../store/workspaces.ts';
import type { SteadyTimes } from './steady-times.ts';

export type WantSettings = Pick<ServerConfig, 'limits' | 'github' | 'auth'>;

/** A workspace with all that the reconciler needs of it, read at one time. */
export type WorkspaceState = {
  readonly row: WorkspaceRow;
  readonly services: readonly ServiceRow[];
  readonly want: Want;
  /** Sent, and not yet answered; oldest first. */
  readonly open: readonly OperationRow[];
};

export async function readWorkspace(
  db: Db,
  id: string,
  { times, ...settings }: WantSettings & { readonly times: Pick<SteadyTimes, 'at'> },
): Promise<WorkspaceState | null> {
  const row = await findWorkspace(db, id);
  if (!row) return null;
  const services = await listServices(db, id);
  const operations = await db
    .selectFrom('operations')
    .selectAll()
    .where('workspace_id', '=', id)
    // As they were written down: by their times, one from before the clock was put back would be the newest for long.
    .orderBy(sql`rowid`)
    .execute();
  const owner = await findUser(db, row.owner_id);
  const profile = owner && (await findGitCredential(db, owner.github_id));
  const open = operations.filter((operation) => operation.ended_at === null);
  return { row, services, want: wantOf({ row, services, operations, owner, profile }, settings, times), open };
}

export function requestOf(row: WorkspaceRow): CreateWorkspaceRequest {
  return JSON.parse(row.request_json) as CreateWorkspaceRequest;
}

export function configOf(row: WorkspaceRow): ResolvedConfig | null {
  return row.config_json === null ? null : resolvedConfig.parse(JSON.parse(row.config_json));
}

export function commandOf(operation: OperationRow): AgentCommand {
  return agentCommand.parse(JSON.parse(operation.command_json));
}

type Rows = {
  readonly row: WorkspaceRow;
  readonly services: readonly ServiceRow[];
  readonly operations: readonly OperationRow[];
  readonly owner: UserRow | undefined;
  readonly profile: GitCredentialRow | undefined;
};

function wantOf(
  { row, services, operations, owner, profile }: Rows,
  { limits, github, auth }: WantSettings,
  times: Pick<SteadyTimes, 'at'>,
): Want {
  const { repo } = requestOf(row);
  const ended = operations.filter((operation) => operation.ended_at !== null);
  return {
    id: row.id,
    name: row.name,
    state: row.want,
    force: row.force === 1,
    status: row.status as WorkspaceStatus,
    node: row.node,
    provider: row.provider as Want['provider'],
    image: row.image,
    packages: JSON.parse(row.packages_json) as string[],
    limits: {
      cpu: limits.cpu,
      memory_bytes: limits.memory,
      disk_bytes: limits.disk,
      processes: limits.processes,
    },
    sshKeys: owner?.ssh_pubkey ? [owner.ssh_pubkey] : [],
    git: owner && auth.mode === 'github' ? gitOf(owner, profile, github.web_url) : null,
    repo: {
      url: repositoryUrl(repo, github.web_url),
      ref: repo.branch ?? null,
      upstreamUrl: repo.upstream_url ?? null,
    },
    upload: repo.source === 'upload' ? { arrived: row.uploaded === 1 } : null,
    config: configOf(row),
    services: services.map((service) => ({
      spec: serviceSpec.parse(JSON.parse(service.spec_json)),
      want: service.want,
    })),
    wantedAt: times.at(`wish ${row.generation}`, row.wanted_at),
    done: ended
      .filter((operation) => operation.generation === row.generation)
      .map((operation) => doneOf(operation, times)),
    configuredWith: lastConfigure(ended),
  };
}

/** With GitHub's address that does not tell the person's own, where that is private. */
function gitOf(owner: UserRow, profile: GitCredentialRow | undefined, webUrl: string): NonNullable<Want['git']> {
  const { github_username: login, github_id } = owner;
  const { hostname, origin } = new URL(webUrl);
  const hidden = `${github_id}+${login}@users.noreply.${hostname}`;
  return { name: profile?.name || login, email: profile?.email || hidden, host: origin };
}

function doneOf(operation: OperationRow, times: Pick<SteadyTimes, 'at'>): Done {
  return {
    command: commandOf(operation),
    error: operation.error_json === null ? null : (JSON.parse(operation.error_json) as ErrorBody),
    startedAt: times.at(`start of ${operation.id}`, operation.started_at),
    endedAt: times.at(`end of ${operation.id}`, operation.ended_at ?? operation.started_at),
  };
}

/** Of what may be a great many operations only this one is read. */
function lastConfigure(ended: readonly OperationRow[]): Want['configuredWith'] {
  const isTaken = ({ error_json, command_json }: OperationRow): boolean =>
    error_json === null && command_json.startsWith('{"do":"configure"');
  const taken = ended.findLast(isTaken);
  const command = taken && commandOf(taken);
  return command?.do === 'configure' ? command : null;
}
