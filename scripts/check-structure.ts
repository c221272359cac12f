// What the linter cannot say about src: which layer may import which, that core does no I/O, that no module keeps
// mutable state, and that imports, dynamic ones included, go in no circle.
// Layers: contract <- core <- { server, gateway, agent, cli, web } <- main; lib imports nothing of ours.
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const mayImport: Record<string, readonly string[]> = {
  lib: [],
  contract: ['lib'],
  core: ['contract'],
  server: ['contract', 'core', 'lib'],
  gateway: ['contract', 'core', 'lib'],
  agent: ['contract', 'core', 'lib'],
  cli: ['contract', 'core', 'lib'],
  web: ['contract', 'core', 'lib'],
  main: ['contract', 'core', 'lib', 'server', 'gateway', 'agent', 'cli', 'web'],
};

/** Modules of Node that compute only. */
const pureModules = ['node:crypto', 'node:path', 'node:path/posix', 'node:url', 'node:util'];

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;
const mutableStatePattern = /^(?:export )?(?:let|var) /gm;

/** `src/server/api/x.ts` is of layer `server`, `src/main.ts` of `main`. */
function layerOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function importProblem(path: string, specifier: string): string | undefined {
  const layer = layerOf(path);
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier);
    if (path.endsWith('.test.ts') && target.startsWith('test/support/')) return undefined;
    if (!target.startsWith('src/')) return `${layer} must not import ${target}, which is not part of the product`;
    const targetLayer = layerOf(target);
    const allowed = targetLayer === layer || mayImport[layer]?.includes(targetLayer);
    return allowed ? undefined : `${layer} must not import ${targetLayer} (${specifier})`;
  }
  const isImpure = specifier.startsWith('node:') && !pureModules.includes(specifier);
  if (layer === 'core' && isImpure && !path.endsWith('.test.ts'))
    return `core is pure and must not import ${specifier}`;
  return undefined;
}

/** Problems of one source file, each as `path:line: what`; `path` is relative to the repository. */
export function structureProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  const report = (offset: number, problem: string): void => {
    problems.push(`${path}:${lineOf(text, offset)}: ${problem}`);
  };
  if (!(layerOf(path) in mayImport)) report(0, `src/${layerOf(path)} is not a layer`);
  for (const match of text.matchAll(importPattern)) {
    const problem = importProblem(path, match[1] ?? '');
    if (problem) report(match.index, problem);
  }
  if (path.endsWith('.test.ts')) return problems;
  for (const match of text.matchAll(mutableStatePattern)) report(match.index, 'a module must not keep mutable state');
  return problems;
}

/** Files that import each other in a circle, each as `a -> b -> a`; `sources`: the text of each by its path. */
export function importCircles(sources: ReadonlyMap<string, string>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  function follow(path: string, way: readonly string[]): void {
    const start = way.indexOf(path);
    if (start !== -1) circles.push([...way.slice(start), path].join(' -> '));
    if (start !== -1 || done.has(path)) return;
    for (const target of importedFiles(path, sources.get(path) ?? '')) follow(target, [...way, path]);
    done.add(path);
  }
  for (const path of sources.keys()) follow(path, []);
  return circles;
}

function importedFiles(path: string, text: string): string[] {
  const specifiers = new Set([...text.matchAll(importPattern)].map(([, specifier = '']) => specifier));
  return [...specifiers]
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

if (import.meta.main) {
  const files = globSync('src/**/*.ts').map((file) => file.replaceAll('\\', '/'));
  const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
  const problems = [
    ...[...sources].flatMap(([file, text]) => structureProblems(file, text)),
    ...importCircles(sources).map((circle) => `imports go in a circle: ${circle}`),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
