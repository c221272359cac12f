import { NexusError } from '../contract/errors.ts';

/** What a node depends on. Names that are not keys themselves are taken as having no dependencies. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * The names in an order in which each comes after all it depends on; among equals, in the order they were given.
 * @throws dependency_cycle
 */
export function dependencyOrder(dependencies: Dependencies): string[] {
  const cycle = findCycle(dependencies);
  if (cycle) throw new NexusError('dependency_cycle', { cycle });
  const done = new Set<string>();
  const visit = (name: string): void => {
    const needed = dependencies.get(name);
    if (needed === undefined || done.has(name)) return;
    needed.forEach(visit);
    done.add(name);
  };
  for (const name of dependencies.keys()) visit(name);
  return [...done];
}

/** The first circle, closed (`a, b, a`), or undefined. */
export function findCycle(dependencies: Dependencies): string[] | undefined {
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (finished.has(name)) return undefined;
    const start = path.indexOf(name);
    if (start !== -1) return [...path.slice(start), name];
    for (const next of dependencies.get(name) ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of dependencies.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}
