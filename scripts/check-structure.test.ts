import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importCircles, structureProblems } from './check-structure.ts';

const allowed: [string, string][] = [
  ['src/main.ts', "const { run } = await import('./server/run.ts');"],
  ['src/server/api/routes.ts', "import { plan } from '../../core/plan.ts';"],
  ['src/server/api/routes.ts', "import type { Store } from '../store/store.ts';"],
  ['src/gateway/forward.ts', "import { retry } from '../lib/retry.ts';\nimport net from 'node:net';"],
  ['src/server/agent/link.ts', "import { x } from '../agent/y.ts';"],
  ['src/core/plan.ts', "import type { Workspace } from '../contract/workspace.ts';\nimport { join } from 'node:path';"],
  ['src/core/plan.test.ts', "import { test } from 'node:test';"],
  ['src/gateway/run.test.ts', "import { x } from '../../test/support/x.ts';"],
  ['src/lib/once.ts', 'export function once(): void {\n  let done = false;\n}'],
];
for (const [path, text] of allowed) {
  test(`allows ${path}: ${text.split('\n')[0]}`, () => assert.deepEqual(structureProblems(path, text), []));
}

const forbidden: [string, string, string][] = [
  ['src/server/run.ts', "import { x } from '../agent/run.ts';", '1: server must not import agent (../agent/run.ts)'],
  ['src/cli/up.ts', "\nawait import('../server/run.ts');", '2: cli must not import server (../server/run.ts)'],
  ['src/core/plan.ts', "import type { X } from '../server/x.ts';", '1: core must not import server (../server/x.ts)'],
  ['src/contract/api.ts', "export { x } from '../core/x.ts';", '1: contract must not import core (../core/x.ts)'],
  ['src/lib/retry.ts', "import { E } from '../contract/e.ts';", '1: lib must not import contract (../contract/e.ts)'],
  ['src/agent/run.ts', "import '../main.ts';", '1: agent must not import main (../main.ts)'],
  ['src/core/plan.ts', "import { readFile } from 'node:fs';", '1: core is pure and must not import node:fs'],
  [
    'src/cli/x.ts',
    "import { y } from '../../test/y.ts';",
    '1: cli must not import test/y.ts, which is not part of the product',
  ],
  ['src/server/a.ts', 'const a = 1;\nexport let state = 0;', '2: a module must not keep mutable state'],
  ['src/helpers/a.ts', '', '1: src/helpers is not a layer'],
];
for (const [path, text, problem] of forbidden) {
  test(`finds in ${path}: ${problem}`, () => assert.deepEqual(structureProblems(path, text), [`${path}:${problem}`]));
}

test('finds imports that go in a circle, whichever way they are written', () => {
  const sources = new Map([
    ['src/cli/main.ts', "import { table } from './table.ts';"],
    ['src/cli/table.ts', "const load = () => import('./commands/help.ts');"],
    ['src/cli/commands/help.ts', "import { run } from '../run.ts';"],
    ['src/cli/run.ts', "import type { Table } from './table.ts';"],
  ]);
  assert.deepEqual(importCircles(sources), [
    'src/cli/table.ts -> src/cli/commands/help.ts -> src/cli/run.ts -> src/cli/table.ts',
  ]);
  sources.set('src/cli/run.ts', "import { x } from 'node:util';");
  assert.deepEqual(importCircles(sources), []);
});
