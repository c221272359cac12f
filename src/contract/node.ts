import { z } from 'zod';

const nodeStatus = z.enum(['ready', 'unreachable', 'draining']);

/** One provider of a node, as its probe found it. Sizes are in bytes. */
export const providerHealth = z.object({
  name: z.enum(['lxc', 'docker', 'qemu']),
  ok: z.boolean(),
  engine: z.string().nullable(),
  version: z.string().nullable(),
  disk_total_bytes: z.number().nullable(),
  disk_free_bytes: z.number().nullable(),
  reason: z.string().nullable(),
});
export type ProviderHealth = z.infer<typeof providerHealth>;

export const nodeView = z.object({
  name: z.string(),
  status: nodeStatus,
  last_heartbeat: z.iso.datetime().nullable(),
  workspaces: z.int(),
  version: z.string().nullable(),
  providers: z.array(providerHealth),
  fingerprint: z.string(),
  /** Instances of this installation that are there and belong to no workspace of the node, by their workspace's id. */
  unknown_instances: z.array(z.string()),
});
export type NodeView = z.infer<typeof nodeView>;

export const healthView = z.object({
  status: z.enum(['ok', 'degraded']),
  timestamp: z.iso.datetime(),
  uptime_seconds: z.number(),
  nodes: z.record(
    z.string(),
    z.object({ status: nodeStatus, last_heartbeat: z.iso.datetime().nullable(), workspaces: z.int() }),
  ),
  version: z.string(),
});
export type HealthView = z.infer<typeof healthView>;

/** `GET /status`, for administrators. */
export const statusView = healthView.extend({
  database: z.object({ path: z.string(), size_bytes: z.int(), schema_version: z.string() }),
  ports: z.object({
    ssh: z.object({ total: z.int(), free: z.int() }),
    services: z.object({ total: z.int(), free: z.int() }),
  }),
  /** Workspaces that are not yet what they should be. */
  queue: z.int(),
  gateway: z.object({ connected: z.boolean(), version: z.string().nullable() }),
  disk: z.object({ free_bytes: z.number(), total_bytes: z.number() }),
});
export type StatusView = z.infer<typeof statusView>;
