import { isDeepStrictEqual } from 'node:util';
import { Document, isMap, isScalar } from 'yaml';
import type { z } from 'zod';
import type { HealthCheck, ResolvedConfig, ServiceSpec } from '../../contract/service-spec.ts';
import type { providerName } from '../../contract/workspace.ts';
import { completeService, defaultTiming } from './complete-service.ts';

export type ConfigTextOptions = {
  /** The provider that image and limits are for. Absent: lxc. */
  readonly provider?: z.infer<typeof providerName>;
  /** Where editors find the JSON Schema. */
  readonly schemaUrl?: string;
};

/**
 * `.nexus/config.yaml` for what was detected or asked for: with comments, without what is the default anyway.
 * Resolved again it gives the same services, lifecycle, packages, image and limits.
 */
export function configText(resolved: ResolvedConfig, { provider = 'lxc', schemaUrl }: ConfigTextOptions = {}): string {
  const { services, lifecycle, packages, image, limits } = resolved;
  const settings = {
    ...(image === null ? {} : { image }),
    ...(limits?.cpu === undefined ? {} : { cpu: limits.cpu }),
    ...(limits?.memory_bytes === undefined ? {} : { memory: limits.memory_bytes }),
    ...(limits?.disk_bytes === undefined ? {} : { disk: limits.disk_bytes }),
  };
  const document = new Document({
    version: '1.0',
    ...(packages.length === 0 ? {} : { packages }),
    services: Object.fromEntries(services.map((service) => [service.name, writtenService(service)])),
    ...(Object.keys(settings).length === 0 ? {} : { providers: { default: provider, [provider]: settings } }),
    ...(Object.keys(lifecycle).length === 0 ? {} : { lifecycle }),
  });
  explain(document);
  document.commentBefore = [
    ...(schemaUrl === undefined ? [] : [` yaml-language-server: $schema=${schemaUrl}`]),
    ' What a Nexus workspace of this repository has. Every key: nexus config schema. Check it: nexus config validate.',
    ...resolved.notes.flatMap((note) => note.split('\n')).map((note) => ` ${note}`),
  ].join('\n');
  return document.toString({ lineWidth: 0 });
}

const comments: Readonly<Record<string, string>> = {
  packages: ' Debian or Ubuntu packages',
  services: ' Each has command and, where it listens, port; also: expose, env, cwd, depends_on, health_check',
  providers: ' What workspaces run on, with image, cpu, memory, disk',
  lifecycle: ' Commands run as dev in the repository: pre_start, post_start, pre_stop',
};

function explain(document: Document): void {
  if (!isMap(document.contents)) return;
  for (const { key } of document.contents.items) {
    const text = isScalar(key) ? comments[String(key.value)] : undefined;
    if (isScalar(key) && text !== undefined) Object.assign(key, { commentBefore: text, spaceBefore: true });
  }
}

/** Only what the service would not have by itself. */
function writtenService(service: ServiceSpec): Record<string, unknown> {
  const { command, port, expose, env, cwd, depends_on: needs, health_check: check } = service;
  const { health_check: _check, expose: _expose, ...bare } = service;
  const byItself = completeService(bare);
  const written = check === undefined ? {} : writtenCheck(check, port);
  return {
    command,
    ...(port === undefined ? {} : { port }),
    ...(expose === undefined || expose === byItself.expose ? {} : { expose }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(needs.length === 0 ? {} : { depends_on: needs }),
    ...(isDeepStrictEqual(written, { type: 'tcp' }) && port !== undefined ? {} : check && { health_check: written }),
  };
}

function writtenCheck(check: HealthCheck, servicePort: number | undefined): Record<string, unknown> {
  const usual: Readonly<Record<string, unknown>> = {
    ...defaultTiming,
    port: servicePort,
    ...(check.type === 'http' ? { path: '/' } : {}),
  };
  return Object.fromEntries(
    Object.entries(check).filter(([key, value]) => value !== undefined && usual[key] !== value),
  );
}
