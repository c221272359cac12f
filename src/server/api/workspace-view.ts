/** How a workspace is shown: its rows in, the contract's form out. */
import { apiBase } from '../../contract/api.ts';
import type {
  createWorkspaceResponse,
  CreateWorkspaceRequest,
  WorkspaceStatus,
  WorkspaceSummary,
  WorkspaceView,
} from '../../contract/workspace.ts';
import type { z } from 'zod';
import { repositoryUrl } from '../repository-url.ts';
import { serviceView } from '../service-view.ts';
import type { ServiceRow, UserRow, WorkspaceRow } from '../store/schema.ts';
import type { WorkspaceListItem } from '../store/workspaces.ts';

type Sources = {
  workspace: WorkspaceRow;
  owner: Pick<UserRow, 'github_username' | 'ssh_pubkey'>;
  services: readonly ServiceRow[];
  publicHost: string;
  /** Where repositories without a URL are, e.g. `https://github.com`. */
  githubUrl: string;
};

export function workspaceView({ workspace, owner, services, publicHost, githubUrl }: Sources): WorkspaceView {
  const { repo } = JSON.parse(workspace.request_json) as CreateWorkspaceRequest;
  return {
    workspace_id: workspace.id,
    owner: owner.github_username,
    name: workspace.name,
    status: workspace.status as WorkspaceStatus,
    provider: workspace.provider as WorkspaceView['provider'],
    image: workspace.image,
    ssh: {
      host: publicHost,
      port: workspace.ssh_port,
      user: 'dev',
      key_required: keyFile(owner.ssh_pubkey),
      host_key: workspace.host_key,
    },
    services: Object.fromEntries(services.map((service) => [service.name, serviceView(service, { publicHost })])),
    repository: {
      owner: repo.owner,
      name: repo.name,
      branch: workspace.branch ?? repo.branch ?? null,
      commit: workspace.commit_id,
      url: withoutPassword(repositoryUrl(repo, githubUrl)),
      is_fork: repo.is_fork ?? false,
    },
    node: workspace.node,
    step: workspace.step,
    error: workspace.error_json === null ? null : (JSON.parse(workspace.error_json) as WorkspaceView['error']),
    warnings: warningsOf(workspace),
    created_at: workspace.created_at,
    updated_at: workspace.updated_at,
  };
}

export function workspaceSummary(row: WorkspaceListItem): WorkspaceSummary {
  return {
    workspace_id: row.id,
    name: row.name,
    owner: row.owner,
    status: row.status as WorkspaceStatus,
    provider: row.provider as WorkspaceSummary['provider'],
    ssh_port: row.ssh_port,
    created_at: row.created_at,
    services_count: row.services_count,
  };
}

/** The answer to whoever asked for a running workspace. */
export function startedView(row: WorkspaceRow, estimatedSeconds: number): z.output<typeof createWorkspaceResponse> {
  return {
    workspace_id: row.id,
    status: row.status as WorkspaceStatus,
    ssh_port: row.ssh_port,
    polling_url: `${apiBase}/workspaces/${row.id}/status`,
    estimated_time_seconds: estimatedSeconds,
    created_at: row.created_at,
  };
}

function warningsOf({ warnings_json, ssh_port, name }: WorkspaceRow): string[] {
  const warnings = JSON.parse(warnings_json) as string[];
  if (ssh_port !== null) return warnings;
  return [...warnings, `every SSH port was given out: reach it with nexus ssh ${name}`];
}

/** Where the owner's private key usually is. */
function keyFile(publicKey: string | null): string {
  if (publicKey?.startsWith('ssh-rsa')) return '~/.ssh/id_rsa';
  if (publicKey?.startsWith('ecdsa-')) return '~/.ssh/id_ecdsa';
  if (publicKey?.startsWith('sk-ssh-')) return '~/.ssh/id_ed25519_sk';
  if (publicKey?.startsWith('sk-ecdsa-')) return '~/.ssh/id_ecdsa_sk';
  return '~/.ssh/id_ed25519';
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/:@]*):[^/@]*@/i, '$1@');
}
