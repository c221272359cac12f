/**
 * `.nexus/config.yaml`, as a person writes it, with its loose forms; parsing gives one strict form. The JSON Schema
 * for editors is made from the same schema, so every description here is read by people.
 */
import { z } from 'zod';
import { packageName, port, serviceName, workspaceName } from './ids.ts';
import { byteSize } from './server-config.ts';
import { durationSeconds, environmentName, mostServices, type HealthCheck } from './service-spec.ts';
import { providerName } from './workspace.ts';

export const repositoryConfigPath = '.nexus/config.yaml';

const command = z.string().min(1).max(16_384);

const healthCheckEntry = z
  .strictObject({
    type: z
      .enum(['http', 'tcp', 'exec', 'custom'])
      .optional()
      .describe('How health is asked for. Left out: http with a url or path, exec with a command, else tcp.'),
    url: z
      .string()
      .min(1)
      .optional()
      .describe('http: an address of the workspace such as http://localhost:3000/health, or a path such as /health.'),
    path: z
      .string()
      .startsWith('/', 'must begin with /')
      .optional()
      .describe('http: the path that is asked for; / if left out.'),
    port: port.optional().describe('http, tcp: the port; that of the service if left out.'),
    command: command.optional().describe('exec, custom: a command that ends with 0 when the service is healthy.'),
    interval: durationSeconds.default(5).describe('Time between two checks: seconds, or 500ms, 10s, 2m.'),
    timeout: durationSeconds.default(3).describe('Time after which a check has failed: seconds, or 500ms, 10s, 2m.'),
    retries: z.int().min(1).max(100).default(5).describe('Failed checks in a row that make a service unhealthy.'),
  })
  .transform((entry, context): HealthCheck => {
    const refuse = (field: 'url' | 'path' | 'port' | 'command' | 'type', message: string): never => {
      context.addIssue({ code: 'custom', path: [field], message });
      return z.NEVER;
    };
    const { interval, timeout, retries } = entry;
    const timing = { interval, timeout, retries };
    const type = entry.type ?? impliedType(entry);
    for (const field of ['url', 'path', 'port', 'command'] as const) {
      if (entry[field] !== undefined && !fieldsOfType[type].includes(field))
        return refuse(field, `is not for a check of type ${type}`);
    }
    if (type === 'tcp') return { type, ...(entry.port === undefined ? {} : { port: entry.port }), ...timing };
    if (type === 'exec' || type === 'custom') {
      return entry.command === undefined
        ? refuse('type', `of ${type} needs a command`)
        : { type, command: entry.command, ...timing };
    }
    const target = httpTarget(entry);
    return typeof target === 'string' ? refuse('url', target) : { type, ...target, ...timing };
  });

const fieldsOfType: Readonly<Record<HealthCheck['type'], readonly string[]>> = {
  http: ['url', 'path', 'port'],
  tcp: ['port'],
  exec: ['command'],
  custom: ['command'],
};

type HttpFields = { url?: string | undefined; path?: string | undefined; port?: number | undefined };

function impliedType(entry: HttpFields & { command?: string | undefined }): HealthCheck['type'] {
  if (entry.url !== undefined || entry.path !== undefined) return 'http';
  return entry.command === undefined ? 'tcp' : 'exec';
}

const localHosts = ['localhost', '127.0.0.1', '0.0.0.0', '[::1]'];

/** Path and port that are asked, or why the URL cannot be. */
function httpTarget({ url, path, port }: HttpFields): { path: string; port?: number } | string {
  const explicitPort = port === undefined ? {} : { port };
  if (url === undefined) return { path: path ?? '/', ...explicitPort };
  if (path !== undefined) return 'and path say the same; keep one';
  if (url.startsWith('/')) return { path: url, ...explicitPort };
  const target = URL.parse(url);
  if (target?.protocol !== 'http:') return 'must be a path, or an address that begins with http://';
  if (!localHosts.includes(target.hostname))
    return 'must be an address of the workspace itself, such as http://localhost:3000/health';
  const own = target.port === '' ? explicitPort : { port: Number(target.port) };
  return { path: `${target.pathname}${target.search}`, ...own };
}

const environment = z.record(environmentName, z.union([z.string(), z.number(), z.boolean()]).transform(String));

/** Inside the repository: no absolute path, and no way out of it. */
const folder = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'must be a folder of the repository, relative to its root',
  );

const serviceFields = z
  .strictObject({
    command: command
      .optional()
      .describe('What runs the service, in a shell. Left out: that of the detected service of this name.'),
    port: port.optional().describe('The port that the service listens on.'),
    expose: z
      .boolean()
      .optional()
      .describe('Whether the port is mapped on the host. Left out: yes, unless it is a known port of a database.'),
    env: environment.optional().describe('Environment variables of the service.'),
    environment: environment.optional().describe('The same as env.'),
    cwd: folder.optional().describe('The folder that the command runs in, relative to the repository.'),
    depends_on: z
      .union([serviceName, z.array(serviceName).max(mostServices)])
      .optional()
      .describe('Services that must be healthy before this one is started.'),
    health_check: healthCheckEntry
      .optional()
      .describe('How to see that the service works. Left out: its port takes connections.'),
    healthcheck: healthCheckEntry.optional().describe('The same as health_check.'),
  })
  .transform(({ env, environment, health_check, healthcheck, depends_on, ...rest }, context) => {
    if (env && environment)
      context.addIssue({ code: 'custom', path: ['environment'], message: 'and env are the same; keep one' });
    if (health_check && healthcheck) {
      context.addIssue({ code: 'custom', path: ['healthcheck'], message: 'and health_check are the same; keep one' });
    }
    const check = health_check ?? healthcheck;
    return {
      ...rest,
      env: env ?? environment ?? {},
      depends_on: typeof depends_on === 'string' ? [depends_on] : (depends_on ?? []),
      ...(check ? { health_check: check } : {}),
    };
  });

const serviceEntry = z.union([
  port.transform((port): ServiceEntry => ({ port, env: {}, depends_on: [] })),
  serviceFields,
]);

const providerSettings = z.strictObject({
  image: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The image of the workspace, such as debian:12 or ubuntu:22.04.'),
  cpu: z.number().positive().max(1024).optional().describe('Processors; a part of one is fine.'),
  memory: byteSize.optional().describe('Memory, such as 4GB or 512MiB.'),
  disk: byteSize.optional().describe('Disk, such as 20GB.'),
});

const lifecycleEntry = z.strictObject({
  pre_start: command.optional().describe('Runs before the services are started, each time: install dependencies here.'),
  post_start: command.optional().describe('Runs when all services are healthy.'),
  pre_stop: command.optional().describe('Runs before the services are stopped.'),
});

export const repositoryConfig = z
  .strictObject({
    version: z
      .literal(['1.0', '1', 1])
      .transform(() => '1.0' as const)
      .default('1.0')
      .describe('The version of this format: "1.0".'),
    name: workspaceName.optional().describe('What a workspace of this repository is called unless said otherwise.'),
    provider: providerName.optional().describe('What workspaces run on; the same as providers.default.'),
    packages: z.array(packageName).max(100).default([]).describe('Debian or Ubuntu packages that the workspace needs.'),
    services: z
      .record(serviceName, serviceEntry)
      .refine((services) => Object.keys(services).length <= mostServices, `must not be more than ${mostServices}`)
      .optional()
      .describe('The services by name: a mapping, or just a port. Left out: they are detected. {}: there are none.'),
    providers: z
      .strictObject({
        default: providerName.optional().describe('What workspaces run on.'),
        lxc: providerSettings.optional().describe('LXC containers.'),
        docker: providerSettings.optional().describe('Docker containers.'),
        qemu: providerSettings.optional().describe('QEMU virtual machines.'),
      })
      .default({})
      .describe('The image and the limits on each provider.'),
    lifecycle: lifecycleEntry
      .default({})
      .describe('Commands at points of the life of a workspace, run as dev in the repository.'),
  })
  .meta({
    title: 'Nexus repository configuration',
    description: '.nexus/config.yaml: what a workspace of this repository has.',
  });

export type RepositoryConfig = z.output<typeof repositoryConfig>;
export type ServiceEntry = z.output<typeof serviceFields>;

/** JSON Schema (2020-12) of the file as a person writes it. */
export function repositoryConfigJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(repositoryConfig, { io: 'input', target: 'draft-2020-12' });
}
