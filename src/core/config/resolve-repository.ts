import type { z } from 'zod';
import { repositoryConfigPath, type RepositoryConfig, type ServiceEntry } from '../../contract/repository-config.ts';
import type { ResolvedConfig, ServiceSpec } from '../../contract/service-spec.ts';
import type { providerName } from '../../contract/workspace.ts';
import { detectServices, type Detection } from '../detect/detect.ts';
import { toServiceSpec } from '../detect/detector.ts';
import { completeService } from './complete-service.ts';
import { readRepositoryConfig } from './parse-repository-config.ts';
import { invalidConfig, type PositionedProblem, type YamlFile } from './read-yaml.ts';

export type ResolveOptions = {
  /** Paths of the files in `.nexus/hooks` that may be executed. Absent: all that are there. */
  readonly executableHooks?: readonly string[];
  /** The provider that the workspace runs on. Absent: the file's default. */
  readonly provider?: z.infer<typeof providerName>;
};

/**
 * What a workspace of a repository has: what its `.nexus/config.yaml` says, else what is detected.
 * `files` are the texts by path that `repositoryFiles` names, `listing` the paths (see `repositoryReading`).
 * @throws config_invalid, dependency_cycle
 */
export function resolveRepository(
  files: ReadonlyMap<string, string>,
  listing: readonly string[],
  options: ResolveOptions = {},
): ResolvedConfig {
  const hooks = findHooks(listing, options.executableHooks);
  const text = files.get(repositoryConfigPath);
  if (text === undefined) return fromDetection(detectServices(files, listing), hooks);
  const { config, yaml } = readRepositoryConfig(text, repositoryConfigPath);
  const needsDetection =
    config.services === undefined || Object.values(config.services).some(({ command }) => command === undefined);
  const detection = needsDetection ? detectServices(files, listing) : undefined;
  const { image, cpu, memory, disk } = config.providers[options.provider ?? preferredProvider(config)] ?? {};
  const limits = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory_bytes: memory }),
    ...(disk === undefined ? {} : { disk_bytes: disk }),
  };
  return {
    source: 'config',
    services: servicesOf(config, yaml, detection),
    lifecycle: { ...(detection?.preStart ? { pre_start: detection.preStart } : {}), ...config.lifecycle },
    hook_files: hooks.runnable,
    packages: [...new Set([...config.packages, ...(detection?.packages ?? [])])],
    image: image ?? null,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    notes: [...(detection?.notes ?? []), ...hooks.notes],
  };
}

function preferredProvider({ provider, providers }: RepositoryConfig): z.infer<typeof providerName> {
  return provider ?? providers.default ?? 'lxc';
}

type Hooks = { readonly runnable: ResolvedConfig['hook_files']; readonly notes: readonly string[] };

function fromDetection({ services, preStart, packages, notes }: Detection, hooks: Hooks): ResolvedConfig {
  return {
    source: 'detected',
    services: services.map((service) => completeService(toServiceSpec(service))),
    lifecycle: preStart === undefined ? {} : { pre_start: preStart },
    hook_files: hooks.runnable,
    packages: [...packages],
    image: null,
    notes: [...notes, ...hooks.notes],
  };
}

function servicesOf(config: RepositoryConfig, yaml: YamlFile, detection: Detection | undefined): ServiceSpec[] {
  if (config.services === undefined)
    return (detection?.services ?? []).map((service) => completeService(toServiceSpec(service)));
  const problems: PositionedProblem[] = [];
  const services = Object.entries(config.services).map(([name, entry]) => {
    const path = ['services', name];
    const service = withCommand(name, entry, detection);
    if (service === undefined) {
      const problem = 'has no command, and none was detected for it';
      problems.push({ path: path.join('.'), problem, ...yaml.keyAt(path) });
      return { name, command: ':', env: {}, depends_on: [] };
    }
    if (asksForPort(service)) {
      const problem = 'has a health check without a port: the service has none';
      problems.push({ path: path.join('.'), problem, ...yaml.keyAt(path) });
    }
    return completeService(service);
  });
  if (problems.length > 0) throw invalidConfig(yaml.file, problems);
  return services;
}

function asksForPort({ port, health_check: check }: ServiceSpec): boolean {
  return port === undefined && (check?.type === 'tcp' || check?.type === 'http') && check.port === undefined;
}

/** A service without a command is the detected one of its name, else of its port, else the only one. */
function withCommand(name: string, entry: ServiceEntry, detection: Detection | undefined): ServiceSpec | undefined {
  const { command, ...written } = entry;
  if (command !== undefined) return { name, command, ...written };
  const { port } = written;
  const detected = detection?.services ?? [];
  const found =
    detected.find((one) => one.name === name) ??
    detected.find((one) => one.port !== undefined && one.port === port) ??
    (detected.length === 1 ? detected[0] : undefined);
  if (found === undefined) return undefined;
  const own = port === undefined || port === found.port ? found : (found.atPort?.(port) ?? found);
  return { ...toServiceSpec(own, name), ...written, env: { ...own.env, ...written.env } };
}

const hookFile = /^\.nexus\/hooks\/(create|up|stop|down)\.sh$/;

function findHooks(listing: readonly string[], executable: readonly string[] = listing): Hooks {
  const present = listing.filter((path) => hookFile.test(path));
  const runnable = present.filter((path) => executable.includes(path));
  return {
    runnable: runnable.map((path) => hookFile.exec(path)?.[1] as ResolvedConfig['hook_files'][number]),
    notes: present
      .filter((path) => !executable.includes(path))
      .map((path) => `${path} is not run, for it is not executable: chmod +x ${path}`),
  };
}
