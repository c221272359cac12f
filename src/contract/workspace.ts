import { z } from 'zod';
import { gitUrl } from './git-url.ts';
import { packageName, port, serviceName, workspaceId, workspaceName } from './ids.ts';
import { plainText } from './plain-text.ts';
import { mostServices, serviceSpec } from './service-spec.ts';
import type { ErrorBody, ErrorCode } from './errors.ts';

export const workspaceStatuses = [
  'pending',
  'creating',
  'running',
  'stopping',
  'stopped',
  'error',
  'deleting',
] as const;
export const workspaceStatus = z.enum(workspaceStatuses);
export type WorkspaceStatus = z.infer<typeof workspaceStatus>;

const serviceStatuses = ['pending', 'starting', 'running', 'unhealthy', 'stopped', 'error'] as const;
export const serviceStatus = z.enum(serviceStatuses);
export type ServiceStatus = z.infer<typeof serviceStatus>;

export const serviceHealth = z.enum(['healthy', 'unhealthy', 'unknown', 'timeout']);
export type ServiceHealth = z.infer<typeof serviceHealth>;

export const providerName = z.enum(['lxc', 'docker', 'qemu']);

const timestamp = z.iso.datetime();

/** An error object as it stands in a workspace and in every error answer. */
export const errorBody = z.object({
  error: z.string() as unknown as z.ZodType<ErrorCode>,
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
  hint: z.string().nullable(),
  request_id: z.string().optional(),
}) as z.ZodType<ErrorBody>;

/** A git URL or absent (GitHub's, from owner and name); `source: upload` waits for `PUT /workspaces/:id/source`. */
const repoRequest = z.strictObject({
  owner: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9._-]+$/, 'must be letters, digits, ., _ and -'),
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9._-]+$/, 'must be letters, digits, ., _ and -'),
  url: gitUrl.optional(),
  /** A branch, a tag or a commit. */
  branch: z
    .string()
    .max(255)
    .regex(/^[^\s\0-][^\s\0]*$/, 'must be a branch, a tag or a commit')
    .optional(),
  is_fork: z.boolean().optional(),
  /** The original's URL: set as the remote `upstream`. */
  upstream_url: gitUrl.optional(),
  source: z.enum(['git', 'upload']).optional(),
});

export const createWorkspaceRequest = z.strictObject({
  github_username: z.string().min(1).optional(),
  workspace_name: workspaceName,
  repo: repoRequest,
  provider: providerName.optional(),
  image: plainText.min(1).max(200).optional(),
  /** Debian packages that the image needs; those of the repository's configuration are added to them. */
  packages: z.array(packageName).max(100).optional(),
  services: z.array(serviceSpec).max(mostServices).optional(),
});
export type CreateWorkspaceRequest = z.infer<typeof createWorkspaceRequest>;
/** The same before defaults were filled in: what a client sends. */
export type CreateWorkspaceInput = z.input<typeof createWorkspaceRequest>;

export const createWorkspaceResponse = z.object({
  workspace_id: workspaceId,
  status: workspaceStatus,
  ssh_port: port.nullable(),
  polling_url: z.string(),
  estimated_time_seconds: z.number(),
  created_at: timestamp,
});

export const serviceView = z.object({
  name: serviceName,
  status: serviceStatus,
  port: port.nullable(),
  mapped_port: port.nullable(),
  health: serviceHealth,
  url: z.string().nullable(),
  last_check: timestamp.nullable(),
  command: z.string(),
  error: errorBody.nullable(),
});
export type ServiceView = z.infer<typeof serviceView>;

export const workspaceView = z.object({
  workspace_id: workspaceId,
  owner: z.string(),
  name: workspaceName,
  status: workspaceStatus,
  provider: providerName,
  image: z.string(),
  ssh: z.object({
    host: z.string(),
    port: port.nullable(),
    user: z.string(),
    key_required: z.string(),
    /** `ssh-ed25519 AAAA…`, null until the workspace's sshd has made it. */
    host_key: z.string().nullable(),
  }),
  services: z.record(serviceName, serviceView),
  repository: z.object({
    owner: z.string(),
    name: z.string(),
    branch: z.string().nullable(),
    commit: z.string().nullable(),
    /** Empty for a folder that was sent and came from nowhere. */
    url: z.string(),
    is_fork: z.boolean(),
  }),
  node: z.string().nullable(),
  /** What is under way, e.g. `cloning` or `starting_service:web`; null when settled. */
  step: z.string().nullable(),
  error: errorBody.nullable(),
  warnings: z.array(z.string()),
  created_at: timestamp,
  updated_at: timestamp,
});
export type WorkspaceView = z.infer<typeof workspaceView>;

export const workspaceSummary = z.object({
  workspace_id: workspaceId,
  name: workspaceName,
  owner: z.string(),
  status: workspaceStatus,
  provider: providerName,
  ssh_port: port.nullable(),
  created_at: timestamp,
  services_count: z.int(),
});
export type WorkspaceSummary = z.infer<typeof workspaceSummary>;

/** One entry of the event log: `id` is the SSE id that `Last-Event-ID` resumes after. */
export const workspaceEvent = z.object({
  id: z.int(),
  workspace_id: workspaceId,
  type: z.enum(['status', 'step', 'service', 'progress', 'deleted']),
  at: timestamp,
  data: z.object({
    status: workspaceStatus.optional(),
    step: z.string().nullable().optional(),
    service: serviceView.optional(),
    /** A line of progress of a long step, e.g. of a base that is being built. */
    line: z.string().optional(),
    error: errorBody.nullable().optional(),
  }),
});
export type WorkspaceEvent = z.infer<typeof workspaceEvent>;
