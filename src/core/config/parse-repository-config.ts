import { NexusError } from '../../contract/errors.ts';
import { repositoryConfig, repositoryConfigPath, type RepositoryConfig } from '../../contract/repository-config.ts';
import { findCycle } from '../graph.ts';
import { checkYaml } from './check-yaml.ts';
import { invalidConfig, readYaml, type PositionedProblem, type YamlFile } from './read-yaml.ts';
import { serviceProblems, writtenDependencies } from './service-problems.ts';

/**
 * `.nexus/config.yaml` in its strict form.
 * @throws config_invalid with every problem and its line and column; dependency_cycle when that is all that is wrong
 */
export function parseRepositoryConfig(text: string, file: string = repositoryConfigPath): RepositoryConfig {
  return readRepositoryConfig(text, file).config;
}

/** The same, with the positions in the file. */
export function readRepositoryConfig(text: string, file: string): { config: RepositoryConfig; yaml: YamlFile } {
  const yaml = readYaml(text, file);
  const checked = checkYaml(repositoryConfig, yaml, withWrittenNumbers(yaml));
  const problems = [
    'problems' in checked ? checked.problems : [],
    serviceProblems(yaml),
    providerProblems(yaml),
  ].flat();
  if (problems.length > 0 || 'problems' in checked) throw invalidConfig(file, problems);
  const cycle = findCycle(writtenDependencies(yaml.data));
  if (cycle) throw new NexusError('dependency_cycle', { cycle });
  return { config: checked.value, yaml };
}

/**
 * YAML reads the `0755` and `1.10` of `env: { MODE: 0755, VERSION: 1.10 }` as the numbers 755 and 1.1. A variable is
 * text: it gets what was written.
 */
function withWrittenNumbers(yaml: YamlFile): unknown {
  const data = structuredClone(yaml.data);
  for (const [service, entry] of entriesOf(valueOf(data, 'services'))) {
    for (const field of ['env', 'environment']) {
      const variables = valueOf(entry, field);
      for (const [name, value] of entriesOf(variables)) {
        if (typeof value !== 'number') continue;
        const written = yaml.sourceAt(['services', service, field, name]) ?? String(value);
        Object.assign(variables as object, { [name]: written });
      }
    }
  }
  return data;
}

function providerProblems(yaml: YamlFile): PositionedProblem[] {
  const provider = valueOf(yaml.data, 'provider');
  const preferred = valueOf(valueOf(yaml.data, 'providers'), 'default');
  if (typeof provider !== 'string' || typeof preferred !== 'string' || provider === preferred) return [];
  const problem = `is ${provider}, and providers.default is ${preferred}; keep one`;
  return [{ path: 'provider', problem, ...yaml.valueAt(['provider']) }];
}

function valueOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}
