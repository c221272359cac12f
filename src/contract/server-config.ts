import { z } from 'zod';
import { providerName } from './workspace.ts';

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** `4GB`, `512MiB`, or bytes; the parsed value is bytes. The pattern has no flags: a JSON Schema cannot say them. */
export const byteSize = z
  .union([
    z.number(),
    z.string().regex(/^\d+(?:\.\d+)?\s*(?:[KMGTkmgt][Ii]?)?[Bb]?$/, 'must be a size such as 4GB or 512MiB'),
  ])
  .transform((value) => {
    if (typeof value === 'number') return value;
    const [, amount = '0', unit = ''] = /^([\d.]+)\s*([a-z]*)$/i.exec(value) ?? [];
    const name = unit.toUpperCase();
    return Math.round(Number(amount) * (sizeUnits[name === '' || name.endsWith('B') ? name : `${name}B`] ?? 1));
  })
  .pipe(z.number().int().positive());

/** `2222-2299`; the parsed value is both ends, inclusive. */
const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'must be a range of ports such as 2222-2299')
  .transform((text) => {
    const [first = 0, last = 0] = text.split('-').map(Number);
    return { first, last };
  })
  .refine(({ first, last }) => first >= 1 && first <= last && last <= 65_535, 'must be a range within 1-65535');

/** Of nodes: they are part of paths and of what people type. */
export const nodeName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'must be 1 to 40 of a-z, 0-9 and -');

type Range = { readonly first: number; readonly last: number };

function areApart(one: Range, other: Range): boolean {
  return one.last < other.first || other.last < one.first;
}

/** `nexus server start --config FILE`. Every key has a default; sizes in bytes, times as named. */
export const serverConfig = z.strictObject({
  data_dir: z.string().default('/var/lib/nexus'),
  listen: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535).default(3001) })
    .prefault({}),
  /** PEM files; needed for agents on other machines unless a proxy before the server speaks TLS. */
  tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  public_host: z.string().default('localhost'),
  auth: z
    .strictObject({
      mode: z.enum(['local', 'github', 'oidc']).default('local'),
      /** `username_claim` must be one that people cannot change themselves; an address of `email_domain` is used without it. */
      oidc: z
        .strictObject({
          issuer: z.url(),
          audience: z.string().min(1),
          username_claim: z.string().min(1).default('preferred_username'),
          email_domain: z.string().min(1).optional(),
        })
        .optional(),
    })
    .prefault({}),
  github: z
    .strictObject({
      api_url: z.url().default('https://api.github.com'),
      web_url: z.url().default('https://github.com'),
      /** Whose active members may use the server; none: everybody with an account. */
      organizations: z.array(z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of an organization')).default([]),
      /** Of an OAuth App, for people without `gh`: the id for the device flow, both (with this server's `/auth/github/callback`) for the web flow. */
      client_id: z.string().min(1).optional(),
      client_secret: z.string().min(1).optional(),
    })
    .prefault({}),
  admins: z.array(z.string()).default([]),
  ports: z
    .strictObject({ ssh: portRange.prefault('2222-2299'), services: portRange.prefault('23000-23999') })
    .refine(({ ssh, services }) => areApart(ssh, services), 'must be two ranges that have no port in common')
    .prefault({}),
  /**
   * Where the gateway listens: the workspaces' SSH and service ports, and the agents' streams (0: any). With a
   * `stream_host` other than loopback, agents on other machines bring theirs to `public_host`, over TLS.
   */
  gateway: z
    .strictObject({
      embedded: z.boolean().default(true),
      host: z.string().default('0.0.0.0'),
      stream_host: z.string().default('127.0.0.1'),
      stream_port: z.int().min(0).max(65_535).default(0),
    })
    .prefault({}),
  defaults: z
    .strictObject({ provider: providerName.default('lxc'), image: z.string().min(1).default('debian:12') })
    .prefault({}),
  limits: z
    .strictObject({
      workspaces_per_user: z.int().positive().default(20),
      cpu: z.number().positive().default(2),
      memory: byteSize.prefault('4GB'),
      disk: byteSize.prefault('20GB'),
      processes: z.int().positive().default(4096),
      requests_per_minute: z.int().positive().default(600),
      upload: byteSize.prefault('1GiB'),
    })
    .prefault({}),
  node: z.strictObject({ embedded: z.boolean().default(true), name: nodeName.default('node-1') }).prefault({}),
  metrics: z.strictObject({ public: z.boolean().default(false) }).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});
export type ServerConfig = z.infer<typeof serverConfig>;
