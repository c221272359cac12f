/**
 * What a schema cannot say of the services of a configuration: names that mean nothing, ports that clash. Works on
 * the data as it was written, so that these problems are told together with those of the schema.
 */
import { hookNames } from '../../contract/service-spec.ts';
import { nearest } from '../nearest.ts';
import type { Dependencies } from '../graph.ts';
import { serviceVariablePrefix } from '../service-env.ts';
import type { PositionedProblem, YamlFile, YamlPath } from './read-yaml.ts';

type Sketch = { readonly name: string; readonly port: number | undefined; readonly dependsOn: readonly string[] };

export function serviceProblems(yaml: YamlFile): PositionedProblem[] {
  const services = sketchServices(yaml.data);
  const names = services.map(({ name }) => name);
  const at = (path: YamlPath, problem: string): PositionedProblem => ({
    path: path.map(String).join('.'),
    problem,
    ...yaml.valueAt(path),
  });
  return [
    ...services.flatMap(({ name, dependsOn }) =>
      dependsOn
        .filter((needed) => !names.includes(needed))
        .map((needed) => at(['services', name, 'depends_on'], unknownService(needed, names))),
    ),
    ...clashes(services, ({ port }) => port?.toString()).map(({ name, first, key }) =>
      at(portPath(yaml.data, name), `${key} is the port of ${first} already`),
    ),
    ...clashes(services, ({ name }) => serviceVariablePrefix(name)).map(({ name, first, key }) => ({
      ...at(['services', name], `and ${first} have the same name in the environment (${key}PORT)`),
      ...yaml.keyAt(['services', name]),
    })),
    ...names
      .filter((name) => (hookNames as readonly string[]).includes(name))
      .map((name) => ({ ...at(['services', name], 'is the name of a hook'), ...yaml.keyAt(['services', name]) })),
  ];
}

/** What depends on what, as far as it is written in a known form. */
export function writtenDependencies(data: unknown): Dependencies {
  return new Map(sketchServices(data).map(({ name, dependsOn }) => [name, dependsOn]));
}

function unknownService(needed: string, names: readonly string[]): string {
  const [best] = nearest(needed, names);
  return `${needed} is not a service${best === undefined ? '' : `; did you mean ${best}?`}`;
}

function sketchServices(data: unknown): Sketch[] {
  if (!isRecord(data) || !isRecord(data['services'])) return [];
  return Object.entries(data['services']).map(([name, entry]) => {
    const fields: Readonly<Record<string, unknown>> = isRecord(entry) ? entry : { port: entry };
    const needed = fields['depends_on'];
    return {
      name,
      port: typeof fields['port'] === 'number' ? fields['port'] : undefined,
      dependsOn: (Array.isArray(needed) ? needed : [needed]).filter((one) => typeof one === 'string'),
    };
  });
}

function portPath(data: unknown, name: string): YamlPath {
  const services = isRecord(data) ? data['services'] : undefined;
  const entry = isRecord(services) ? services[name] : undefined;
  return isRecord(entry) ? ['services', name, 'port'] : ['services', name];
}

/** Each service whose key an earlier one has. */
function clashes(
  services: readonly Sketch[],
  keyOf: (service: Sketch) => string | undefined,
): { name: string; first: string; key: string }[] {
  const firsts = new Map<string, string>();
  return services.flatMap((service) => {
    const key = keyOf(service);
    if (key === undefined) return [];
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, service.name);
    return first === undefined ? [] : [{ name: service.name, first, key }];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
