import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

const runner = join(import.meta.dirname, 'test.ts');
const testFile = join(import.meta.dirname, 'test-file.ts');

function checkoutWith(context: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-runner-'));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function runNode(
  folder: string,
  args: string[],
  extra: Record<string, string> = {},
): { code: number | null; lines: string[] } {
  // A test process of node:test and one that is measured would hand these on.
  const { NODE_TEST_CONTEXT: _context, NODE_V8_COVERAGE: _coverage, CI: _ci, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, ...extra },
  });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

const passing = "import { test } from 'node:test';\ntest('one', () => {});\ntest('two', () => {});\n";
const skipping =
  "import { test } from 'node:test';\ntest('one', () => {});\ntest('two', { skip: 'no engine' }, () => {});\n";

test('sums up all files in the last line', (context) => {
  const folder = checkoutWith(context, { 'a.test.ts': passing, 'b.test.ts': skipping });
  const { code, lines } = runNode(folder, [runner, 'a.test.ts', 'b.test.ts']);
  assert.equal(lines.at(-1), '3 passed, 0 failed, 1 skipped');
  assert.ok(lines.includes('skipped: two (no engine)'));
  assert.equal(code, 0);
});

test('fails on CI when a test is skipped', (context) => {
  const folder = checkoutWith(context, { 'b.test.ts': skipping });
  assert.equal(runNode(folder, [runner, 'b.test.ts'], { CI: 'true' }).code, 1);
});

test('refuses a suite that does not exist', (context) => {
  assert.equal(runNode(checkoutWith(context, {}), [runner, 'units']).code, 2);
});

test('fails when a suite has no files', (context) => {
  const { code, lines } = runNode(checkoutWith(context, {}), [runner, 'e2e']);
  assert.equal(lines.at(-1), '0 passed, 1 failed, 0 skipped');
  assert.equal(code, 1);
});

const failing: Record<string, { body: string; last: string }> = {
  'a failed assertion': { body: "test('x', () => { throw new Error('no'); });", last: '1 passed, 1 failed, 0 skipped' },
  'an error while loading': { body: "throw new Error('no');", last: '0 passed, 1 failed, 0 skipped' },
  'an error after the last test': {
    body: "test('x', () => { setTimeout(() => { throw new Error('late'); }, 10); });",
    last: '2 passed, 1 failed, 0 skipped',
  },
  'a call of process.exit': { body: "test('x', () => process.exit(0));", last: '0 passed, 1 failed, 0 skipped' },
};
for (const [name, { body, last }] of Object.entries(failing)) {
  test(`counts ${name} as a failure`, (context) => {
    const text = `import { test } from 'node:test';\ntest('fine', () => {});\n${body}\n`;
    const { code, lines } = runNode(checkoutWith(context, { 'a.test.ts': text }), [runner, 'a.test.ts']);
    assert.equal(lines.at(-1), last);
    assert.equal(code, 1);
  });
}

test('ends a file that leaves something open, as a failure', (context) => {
  const folder = checkoutWith(context, {
    'a.test.ts': "import { test } from 'node:test';\ntest('x', () => { setInterval(() => {}, 1000); });\n",
    'run.ts': `import { runTestFile } from ${JSON.stringify(testFile)};
      const limits = { testMs: 500, fileMs: 800, exitMs: 500 };
      const { passed, failed } = await runTestFile('a.test.ts', limits, () => {});
      console.log(passed, failed);`,
  });
  assert.deepEqual(runNode(folder, ['run.ts']).lines, ['1 1']);
});

const measured = {
  'src/types.ts': 'export interface Named {\n  name: string;\n}\n',
  'src/lib.ts': `import type { Named } from './types.ts';

/** Comment. */
export function nameOf<T extends Named>(named: T, fallback?: string): string {
  if (fallback !== undefined) {
    return fallback;
  }
  return named.name;
}

export function stopped(): void {
  console.log('stopped');
}

export function neverCalled(x: number): number {
  const y: number = x > 1 ? 2 : 3;
  return y;
}
`,
  'src/child.ts': `import { nameOf, stopped } from './lib.ts';
process.on('SIGTERM', () => {
  stopped();
  process.exit(0);
});
const alive: NodeJS.Timeout = setInterval(() => {}, 1000);
console.log(nameOf({ name: 'x' }, 'y'), alive.hasRef());
`,
  'src/unloaded.ts': 'export const value: number = 1;\n',
  'src/lib.test.ts': `import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { nameOf } from './lib.ts';
test('measures this process and its child', async () => {
  nameOf({ name: 'x' });
  const child = spawn(process.execPath, ['src/child.ts'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await once(child, 'exit');
});
`,
};

test('measures the coverage of TypeScript by line and branch, in child processes too, and enforces the floor', (context) => {
  const folder = checkoutWith(context, measured);
  const { code, lines } = runNode(folder, [runner, 'src/lib.test.ts', '--coverage']);
  assert.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped');
  assert.equal(code, 1, 'the floor is not reached');

  const records = readFileSync(join(folder, 'coverage/lcov.info'), 'utf8').split('end_of_record\n');
  const lcovOf = (file: string): string[] =>
    records.find((record) => record.includes(`SF:src/${file}\n`))?.split('\n') ?? [];
  const branches = lcovOf('lib.ts').filter((line) => line.startsWith('BRDA:'));
  assert.deepEqual(branches, ['BRDA:5,0,0,1', 'BRDA:5,0,1,1', 'BRDA:16,1,0,0', 'BRDA:16,1,1,0']);
  const missed = lcovOf('lib.ts').filter((line) => /^DA:\d+,0$/.test(line));
  assert.deepEqual(missed, ['DA:16,0', 'DA:17,0']);
  assert.ok(lcovOf('child.ts').includes('DA:3,1'), 'the SIGTERM handler ran');
  assert.ok(lcovOf('types.ts').includes('LF:0'), 'types are no code');
  assert.ok(lcovOf('unloaded.ts').includes('LH:0'), 'what never ran is not covered');
});
