import { z } from 'zod';
import { port, serviceName } from './ids.ts';
import { plainText } from './plain-text.ts';

/** Seconds, as a number or as `10s`, `2m`, `500ms`. The parsed value is in seconds. */
export const durationSeconds = z
  .union([
    z.number(),
    z.string().regex(/^\d+(?:\.\d+)?(?:ms|s|m|h)?$/, 'must be seconds or a duration such as 10s, 500ms, 2m'),
  ])
  .transform((value) => (typeof value === 'number' ? value : parseDuration(value)))
  .pipe(z.number().positive().max(86_400));

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

function parseDuration(text: string): number {
  const [, amount = '0', unit = 's'] = /^([\d.]+)([a-z]*)$/.exec(text) ?? [];
  return Number(amount) * (unitSeconds[unit || 's'] ?? 1);
}

const timing = {
  interval: durationSeconds.default(5),
  timeout: durationSeconds.default(3),
  retries: z.int().min(1).max(100).default(5),
};

/** How a service's health is asked for. `interval` and `timeout` are in seconds. */
export const healthCheck = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('http'),
    path: plainText.startsWith('/').default('/'),
    port: port.optional(),
    ...timing,
  }),
  z.strictObject({ type: z.literal('tcp'), port: port.optional(), ...timing }),
  z.strictObject({ type: z.literal('exec'), command: plainText.min(1), ...timing }),
  z.strictObject({ type: z.literal('custom'), command: plainText.min(1), ...timing }),
]);
export type HealthCheck = z.infer<typeof healthCheck>;

export const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of letters, digits and _');

/** Of one workspace. */
export const mostServices = 50;

/** A service as it crosses every wire and stands in the database; the repository file's looser forms become this. */
export const serviceSpec = z.strictObject({
  name: serviceName,
  command: plainText.min(1).max(16_384),
  port: port.optional(),
  /** Mapped on the host. Absent: yes, unless the port is a known database's. */
  expose: z.boolean().optional(),
  env: z.record(environmentName, z.union([plainText, z.number(), z.boolean()]).transform(String)).default({}),
  /** Relative to the repository. */
  cwd: plainText.optional(),
  depends_on: z.array(serviceName).max(mostServices).default([]),
  health_check: healthCheck.optional(),
});
export type ServiceSpec = z.infer<typeof serviceSpec>;

const lifecycle = z.strictObject({
  pre_start: z.string().optional(),
  post_start: z.string().optional(),
  pre_stop: z.string().optional(),
});

/** Hooks in the order in which a workspace's life meets them; `create`, `up`, `stop`, `down` are files in `.nexus/hooks`. */
export const hookNames = ['create', 'pre_start', 'up', 'post_start', 'pre_stop', 'stop', 'down'] as const;
export type HookName = (typeof hookNames)[number];
export const hookName = z.enum(hookNames);

/**
 * What a repository asks for, once its `.nexus/config.yaml` was read or its services were detected: the agent
 * makes it after the clone, the server plans with it.
 */
export const resolvedConfig = z.object({
  /** `config` for `.nexus/config.yaml`, `detected`, or `request` when the services came with the request. */
  source: z.enum(['config', 'detected', 'request']),
  /** Each may take a port of the host. */
  services: z.array(serviceSpec).max(100),
  lifecycle,
  /** Executable files found in `.nexus/hooks`. */
  hook_files: z.array(z.enum(['create', 'up', 'stop', 'down'])),
  packages: z.array(z.string()),
  image: z.string().nullable(),
  /** What the repository asks for; the server may allow less. */
  limits: z
    .object({
      cpu: z.number().positive().optional(),
      memory_bytes: z.number().positive().optional(),
      disk_bytes: z.number().positive().optional(),
    })
    .optional(),
  /** What detection saw, a line each, for people. */
  notes: z.array(z.string()),
});
export type ResolvedConfig = z.infer<typeof resolvedConfig>;
