/**
 * The control connection: a WebSocket at `/api/v1/control` that an agent or a gateway opens to the server.
 * JSON messages. First the handshake (hello, challenge, proof, welcome), which authenticates both sides by their
 * ed25519 keys; then, for an agent, commands and answers. The server sends a command again after a loss, under the
 * same id; the agent answers a known id from its journal, joins one that still runs, and does a new one.
 */
import { z } from 'zod';
import { hookName, resolvedConfig, serviceSpec } from './service-spec.ts';
import { errorBody, providerName } from './workspace.ts';
import { port, serviceName, workspaceId } from './ids.ts';
import { providerHealth } from './node.ts';

export const controlPath = '/api/v1/control';
/** How often a peer sends `heartbeat`, and after how long without one it is called unreachable. Milliseconds. */
export const heartbeatIntervalMs = 5_000;
export const unreachableAfterMs = 20_000;
/** The longest message of a peer. A configuration with 50 services of the longest commands is below it. */
export const maxPeerMessageBytes = 2 ** 20;

/** What a peer says of itself, and names that people read: no line breaks, nothing that a terminal would obey. */
const label = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^\p{Cc}]*$/u);

/** Raw 32-byte ed25519 public keys, 64-byte signatures, 32-byte nonces: all base64. */
const base64 = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9+/=]+$/);

export const hello = z.object({
  type: z.literal('hello'),
  role: z.enum(['agent', 'gateway']),
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/),
  version: label(100),
  public_key: base64,
  nonce: base64,
  /** `/etc/machine-id` hashed: tells a gateway whether an instance is on its own machine. */
  machine: label(200),
});
export const challenge = z.object({
  type: z.literal('challenge'),
  public_key: base64,
  nonce: base64,
  signature: base64,
});
export const proof = z.object({
  type: z.literal('proof'),
  signature: base64,
  /** Once, to become known: not before the server has proved that it is the one that gave it out. */
  join_token: label(200).optional(),
});

/** SHA-256 of a certificate as `fingerprint256` of node:crypto: pairs of capital hex digits, with colons. */
const certificateHash = z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);

/** Where an agent parks its stream connections, and the key that proves it (base64, 32 bytes). */
export const streamTarget = z.object({
  host: z.string(),
  port,
  key: base64,
  /** The gateway shows this certificate, and streams are encrypted; absent: neither. */
  certificate_sha256: certificateHash.optional(),
});
export const welcome = z.object({
  type: z.literal('welcome'),
  cluster_id: z.string(),
  /** For an agent; null while no gateway is there. A later `streams` message replaces it. */
  streams: streamTarget.nullable(),
});
const refused = z.object({ type: z.literal('refused'), error: errorBody });

const workspace = { workspace_id: workspaceId };

const gitIdentity = z.object({ name: z.string(), email: z.string() });

/** What git in the workspaces of one owner signs in with. Kept by an agent in its memory only. */
export const gitCredential = z.object({
  /** `https://github.com` */
  host: z.url(),
  username: z.string(),
  token: z.string(),
  /** RFC 3339; null when GitHub says nothing of it. */
  expires_at: z.iso.datetime().nullable(),
  workspaces: z.array(workspaceId),
});
export type GitCredential = z.infer<typeof gitCredential>;

/** The steps that an agent can be told to do. Each is idempotent. */
export const agentCommand = z.discriminatedUnion('do', [
  z.object({ do: z.literal('observe'), ...workspace }),
  z.object({
    do: z.literal('ensure_base'),
    ...workspace,
    provider: providerName,
    image: z.string(),
    packages: z.array(z.string()),
  }),
  z.object({
    do: z.literal('create_instance'),
    ...workspace,
    provider: providerName,
    image: z.string(),
    packages: z.array(z.string()),
    hostname: z.string(),
    limits: z.object({ cpu: z.number(), memory_bytes: z.number(), disk_bytes: z.number(), processes: z.number() }),
  }),
  z.object({ do: z.literal('start_instance'), ...workspace }),
  /** Authorised keys, environment; waits until sshd answers. Again after every start, and when a key changes. */
  z.object({
    do: z.literal('configure'),
    ...workspace,
    name: z.string(),
    ssh_keys: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    git: gitIdentity.nullable(),
    /** For which git asks the agent for the owner's credentials: `https://github.com`. Null: for none. */
    git_host: z.url().nullable().default(null),
  }),
  z.object({
    do: z.literal('clone'),
    ...workspace,
    url: z.string(),
    ref: z.string().nullable(),
    /** The repository was put into the instance as a bundle (stream kind `put`). */
    upload: z.boolean(),
    upstream_url: z.string().nullable(),
  }),
  z.object({ do: z.literal('read_config'), ...workspace }),
  /** `command` null: the file `.nexus/hooks/<hook>.sh`. */
  z.object({ do: z.literal('run_hook'), ...workspace, hook: hookName, command: z.string().nullable() }),
  z.object({
    do: z.literal('start_service'),
    ...workspace,
    service: serviceSpec,
    env: z.record(z.string(), z.string()),
  }),
  z.object({ do: z.literal('stop_service'), ...workspace, service: serviceName, force: z.boolean() }),
  z.object({ do: z.literal('stop_instance'), ...workspace, force: z.boolean() }),
  z.object({ do: z.literal('remove_instance'), ...workspace }),
]);
export type AgentCommand = z.infer<typeof agentCommand>;

/** Of what is reported of one service or provider, for people. */
const maxDetailLength = 8_192;
/** A workspace can make units of its own that look like ours. */
const maxServices = 200;

export const serviceReport = z.object({
  name: serviceName,
  /** `failed`: given up after 5 deaths in 2 minutes. `restarting`: dead, waiting for its back-off. */
  state: z.enum(['stopped', 'starting', 'running', 'restarting', 'failed']),
  health: z.enum(['healthy', 'unhealthy', 'unknown', 'timeout']),
  /** Why it is not healthy, or how it died; for people. */
  detail: z.string().max(maxDetailLength).nullable(),
  /** RFC 3339 of the last probe. */
  last_check: z.iso.datetime().nullable(),
  /** RFC 3339 since when this process runs. */
  started_at: z.iso.datetime().nullable(),
  /** Deaths since it was started by us. */
  deaths: z.int().nonnegative(),
});
export type ServiceReport = z.infer<typeof serviceReport>;

/** What is, of one workspace, as its node sees it. Marks live in the instance's own files, so they share its fate. */
export const observation = z.object({
  ...workspace,
  instance: z.enum(['absent', 'stopped', 'running']),
  provider: providerName.nullable(),
  address: z.union([z.ipv4(), z.ipv6()]).nullable(),
  machine: label(200),
  /** What the base of the instance was made of; null when absent. */
  base: z.object({ image: z.string(), packages: z.array(z.string()) }).nullable(),
  /** sshd answers, with the keys that were asked for, in this boot of the instance. */
  configured: z.boolean(),
  /** A line of it goes into the known hosts of whoever connects. */
  host_key: z
    .string()
    .max(2_048)
    .regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$/)
    .nullable(),
  clone: z.object({ commit: label(64), branch: label(255).nullable() }).nullable(),
  config: resolvedConfig.nullable(),
  /** `create` once in the instance's life, the others in this boot. */
  hooks_done: z.array(hookName).max(100),
  services: z.array(serviceReport).max(maxServices),
});
export type Observation = z.infer<typeof observation>;

const commandId = z.string().max(100);

/** Every command is answered by what is afterwards, or by why it could not be done. */
export const commandAnswer = z.discriminatedUnion('ok', [
  z.object({ type: z.literal('answer'), id: commandId, ok: z.literal(true), seen: observation }),
  z.object({ type: z.literal('answer'), id: commandId, ok: z.literal(false), error: errorBody }),
]);
export type CommandAnswer = z.infer<typeof commandAnswer>;

/** One public port that the gateway listens on. */
export const route = z.object({
  kind: z.enum(['ssh', 'service']),
  /** The port on the host. */
  listen: port,
  workspace_id: workspaceId,
  node: z.string(),
  /** Inside the workspace. */
  port,
  /** Where the instance is while it runs: connected to directly when `machine` is the gateway's own. */
  address: z.string().nullable(),
  machine: z.string().nullable(),
});
export type Route = z.infer<typeof route>;

/** All that a gateway works by; kept on its disk (0600) so that it works while the server is away. */
export const routingTable = z.object({
  version: z.int(),
  routes: z.array(route),
  /** Who may park or open streams: the node's name (or `server`), and the key (base64, 32 bytes). */
  stream_keys: z.record(z.string(), base64),
});
export type RoutingTable = z.infer<typeof routingTable>;

export const serverToPeer = z.union([
  challenge,
  welcome,
  refused,
  z.object({ type: z.literal('command'), id: z.string(), command: agentCommand }),
  /** The answers to these were written down: the agent may drop them from its journal. */
  z.object({ type: z.literal('forget'), ids: z.array(z.string()) }),
  /** After welcome: the answers to all but these were written down, or nobody asks for them any more. */
  z.object({ type: z.literal('keep'), ids: z.array(z.string()) }),
  z.object({ type: z.literal('streams'), streams: streamTarget.nullable() }),
  z.object({ type: z.literal('routes'), table: routingTable }),
  /** To an agent, after welcome and with every change: all that it is lent from now on. */
  z.object({ type: z.literal('git_credentials'), credentials: z.array(gitCredential) }),
]);
export type ServerToPeer = z.infer<typeof serverToPeer>;

export const peerToServer = z.union([
  hello,
  proof,
  commandAnswer,
  /** A line of what a long command does. */
  z.object({ type: z.literal('progress'), id: commandId, line: z.string() }),
  z.object({ type: z.literal('services'), ...workspace, services: z.array(serviceReport).max(maxServices) }),
  /** After welcome, and whenever an instance comes, goes, starts or stops behind our back. */
  z.object({
    type: z.literal('instances'),
    instances: z.array(z.object({ ...workspace, state: z.enum(['stopped', 'running']) })),
  }),
  z.object({
    type: z.literal('heartbeat'),
    providers: z.array(providerHealth).max(16).optional(),
    connections: z.int().nonnegative().optional(),
  }),
  /** From a gateway: where streams are taken (after welcome), and what came of a routing table. */
  z.object({
    type: z.literal('listening'),
    host: label(255),
    port,
    certificate_sha256: certificateHash.optional(),
  }),
  z.object({
    type: z.literal('routes_applied'),
    version: z.int(),
    failed: z.array(z.object({ listen: port, reason: label(1_000) })),
  }),
  /** GitHub did not accept the token that git in this workspace was given. */
  z.object({ type: z.literal('git_rejected'), ...workspace }),
  /** From a gateway: how long it took from accepting an SSH connection to the first byte of the workspace's sshd. */
  z.object({ type: z.literal('ssh_connected'), ...workspace, seconds: z.number().min(0).max(86_400) }),
]);
export type PeerToServer = z.infer<typeof peerToServer>;
