/**
 * Every endpoint of the HTTP API, once: method, path, what it takes and what it answers. The server registers its
 * handlers from this table, the OpenAPI document is made from it, and the typed client calls through it.
 */
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { port, serviceName, workspaceId } from './ids.ts';
import { plainText } from './plain-text.ts';
import { command, flag } from './request-fields.ts';
import { registerUserRequest, updateSshKeyRequest, userView } from './user.ts';
import { nodeEndpoints } from './node-endpoints.ts';
import { signInEndpoints } from './sign-in.ts';
import {
  createWorkspaceRequest,
  createWorkspaceResponse,
  serviceView,
  workspaceStatus,
  workspaceSummary,
  workspaceView,
} from './workspace.ts';

export type { Endpoint } from './endpoint.ts';

export const apiBase = '/api/v1';

const byWorkspace = z.object({ id: workspaceId });
const byService = z.object({ id: workspaceId, name: serviceName });
const stopped = z.object({ workspace_id: workspaceId, status: workspaceStatus, stopped_at: z.iso.datetime() });

export const endpoints = {
  registerUser: endpoint({
    method: 'POST',
    path: '/users/register-github',
    aliases: ['/users/register'],
    access: 'user',
    status: 201,
    summary: 'Register the caller with an SSH public key.',
    body: registerUserRequest,
    response: userView,
  }),
  getUser: endpoint({
    method: 'GET',
    path: '/users/:username',
    access: 'user',
    status: 200,
    summary: 'A user.',
    params: z.object({ username: z.string() }),
    response: userView,
  }),
  updateSshKey: endpoint({
    method: 'PUT',
    path: '/users/:username/ssh-key',
    access: 'user',
    status: 200,
    summary: 'Replace the SSH key, in running workspaces too.',
    params: z.object({ username: z.string() }),
    body: updateSshKeyRequest,
    response: userView,
  }),
  createWorkspace: endpoint({
    method: 'POST',
    path: '/workspaces',
    aliases: ['/workspaces/create', '/workspaces/create-from-repo'],
    access: 'user',
    status: 202,
    summary: 'Create a workspace from a repository.',
    body: createWorkspaceRequest,
    response: createWorkspaceResponse,
    headers: { 'Idempotency-Key': 'A repeat under the same key within 24 hours gets the first answer.' },
  }),
  listWorkspaces: endpoint({
    method: 'GET',
    path: '/workspaces',
    access: 'user',
    status: 200,
    summary: "The caller's workspaces.",
    query: z.strictObject({
      owner: z.string().optional(),
      status: workspaceStatus.optional(),
      limit: z.coerce.number<number | string>().int().min(1).max(200).default(50),
      offset: z.coerce.number<number | string>().int().min(0).default(0),
    }),
    response: z.object({ workspaces: z.array(workspaceSummary), total: z.int(), limit: z.int(), offset: z.int() }),
  }),
  getWorkspace: endpoint({
    method: 'GET',
    path: '/workspaces/:id',
    aliases: ['/workspaces/:id/status'],
    access: 'user',
    status: 200,
    summary: 'A workspace with its services.',
    params: byWorkspace,
    response: workspaceView,
  }),
  startWorkspace: endpoint({
    method: 'POST',
    path: '/workspaces/:id/start',
    access: 'user',
    status: 202,
    summary: 'Start a stopped workspace.',
    params: byWorkspace,
    body: z.strictObject({}).optional(),
    response: createWorkspaceResponse,
  }),
  stopWorkspace: endpoint({
    method: 'POST',
    path: '/workspaces/:id/stop',
    access: 'user',
    status: 200,
    summary: 'Stop a workspace; its files stay.',
    params: byWorkspace,
    query: z.strictObject({ force: flag.optional() }),
    body: z.strictObject({ force: z.boolean().optional() }).optional(),
    response: stopped,
  }),
  setWorkspaceStatus: endpoint({
    method: 'PATCH',
    path: '/workspaces/:id/status',
    access: 'user',
    status: 202,
    summary: 'Start or stop a workspace.',
    params: byWorkspace,
    body: z.strictObject({ status: z.enum(['running', 'stopped']) }),
    response: z.union([createWorkspaceResponse, stopped]),
    otherStatus: 200,
  }),
  deleteWorkspace: endpoint({
    method: 'DELETE',
    path: '/workspaces/:id',
    access: 'user',
    status: 204,
    summary: 'Delete a workspace and all that belongs to it.',
    params: byWorkspace,
    query: z.strictObject({ force: flag.optional() }),
    body: z.strictObject({ force: z.boolean().optional() }).optional(),
    response: null,
  }),
  listWorkspaceServices: endpoint({
    method: 'GET',
    path: '/workspaces/:id/services',
    access: 'user',
    status: 200,
    summary: 'The services of a workspace.',
    params: byWorkspace,
    response: z.object({ services: z.array(serviceView) }),
  }),
  startService: endpoint({
    method: 'POST',
    path: '/workspaces/:id/services/:name/start',
    access: 'user',
    status: 200,
    summary: 'Start a service.',
    params: byService,
    body: z.strictObject({}).optional(),
    response: serviceView,
  }),
  stopService: endpoint({
    method: 'POST',
    path: '/workspaces/:id/services/:name/stop',
    access: 'user',
    status: 200,
    summary: 'Stop a service.',
    params: byService,
    body: z.strictObject({}).optional(),
    response: serviceView,
  }),
  restartService: endpoint({
    method: 'POST',
    path: '/workspaces/:id/services/:name/restart',
    access: 'user',
    status: 200,
    summary: 'Restart a service.',
    params: byService,
    body: z.strictObject({}).optional(),
    response: serviceView,
  }),
  forwardServicePort: endpoint({
    method: 'POST',
    path: '/workspaces/:id/services/:name/port-forward',
    access: 'user',
    status: 200,
    summary: 'Map a port of a service on the host.',
    params: byService,
    body: z.strictObject({ port: port.optional() }).optional(),
    response: z.object({ name: serviceName, port, mapped_port: port, url: z.string() }),
  }),
  /** `text/plain` lines, or server-sent events (`data:` a line each) with `follow`. */
  getLogs: endpoint({
    method: 'GET',
    path: '/workspaces/:id/logs',
    access: 'user',
    status: 200,
    summary: 'Lines of the logs.',
    params: byWorkspace,
    query: z.strictObject({
      service: z.string().optional(),
      lines: z.coerce.number<number | string>().int().min(0).max(10_000).default(100),
      follow: flag.optional(),
    }),
    headers: { 'Last-Event-ID': 'With `follow`: goes on after the line of this id.' },
    response: null,
  }),
  /** Server-sent events: `id`, `event` (the type) and `data` (a WorkspaceEvent). `Last-Event-ID` resumes. */
  getEvents: endpoint({
    method: 'GET',
    path: '/workspaces/:id/events',
    access: 'user',
    status: 200,
    summary: 'Every change, as it happens.',
    params: byWorkspace,
    query: z.strictObject({ last_event_id: z.coerce.number<number | string>().int().min(0).optional() }),
    headers: { 'Last-Event-ID': 'Goes on after the event of this id.' },
    response: null,
  }),
  exec: endpoint({
    method: 'POST',
    path: '/workspaces/:id/exec',
    access: 'user',
    status: 200,
    summary: 'Run a command as dev in the repository.',
    params: byWorkspace,
    body: z.strictObject({
      command,
      stdin: z.string().optional(),
      cwd: plainText.max(4096).optional(),
      timeout_seconds: z.number().positive().max(3600).optional(),
    }),
    response: z.object({ exit_code: z.int(), stdout: z.string(), stderr: z.string() }),
  }),
  /** `application/octet-stream`: a git bundle, for a workspace whose `repo.source` is `upload`. */
  putSource: endpoint({
    method: 'PUT',
    path: '/workspaces/:id/source',
    access: 'user',
    status: 204,
    summary: 'The repository of the workspace, as a git bundle.',
    params: byWorkspace,
    response: null,
  }),
  listServices: endpoint({
    method: 'GET',
    path: '/services',
    access: 'user',
    status: 200,
    summary: "Every service of the caller's workspaces.",
    response: z.object({
      services: z.array(serviceView.extend({ workspace_id: workspaceId, workspace_name: z.string() })),
    }),
  }),
  ...nodeEndpoints,
  ...signInEndpoints,
  /** `text/x-shellscript`, for `sh`: it installs the program that `getDownload` gives. */
  getInstallScript: endpoint({
    method: 'GET',
    path: '/install-script',
    rootAliases: ['/install.sh'],
    access: 'anyone',
    status: 200,
    summary: 'A script that installs nexus, with this server as its server.',
    response: null,
  }),
  /** `application/octet-stream`: `nexus-linux-x64` and so on. The `ETag` is the SHA-256. */
  getDownload: endpoint({
    method: 'GET',
    path: '/download/:file',
    rootAliases: ['/download/:file'],
    access: 'anyone',
    status: 200,
    summary: 'The program for a platform, where the server has it.',
    params: z.object({ file: z.string() }),
    headers: { 'If-None-Match': 'The ETag of what the client has: 304 when it is that.' },
    response: null,
    otherStatus: 304,
  }),
  /** Who the token belongs to. */
  whoAmI: endpoint({
    method: 'GET',
    path: '/user',
    access: 'user',
    status: 200,
    summary: 'The caller.',
    response: z.object({
      github_username: z.string(),
      github_id: z.int(),
      admin: z.boolean(),
      registered: z.boolean(),
    }),
  }),
} satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof endpoints;
