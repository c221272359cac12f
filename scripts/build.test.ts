import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

const root = join(import.meta.dirname, '..');

const reader = (asset: string): string => `import { readFileSync } from 'node:fs';
export const read = (): string => readFileSync(new URL('./assets/${asset}', import.meta.url), 'utf8');
`;
const sources = {
  'src/main.ts': `const { read: first } = await import('./agent/first.ts');
const { read: second } = await import('./server/deep/second.ts');
console.log(first(), second());
`,
  'src/agent/first.ts': reader('first.sh'),
  'src/agent/assets/first.sh': 'one',
  'src/server/deep/second.ts': reader('second.txt'),
  'src/server/deep/assets/second.txt': 'two',
};

function checkoutWith(context: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-build-'));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const path of ['package.json', 'package-lock.json', 'scripts/build.ts'])
    cpSync(join(root, path), join(folder, path));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

test('the binary finds the assets that the sources find, and equal sources give an equal binary', (context) => {
  const folder = checkoutWith(context, sources);
  const build = (): Buffer => {
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: folder, stdio: 'pipe' });
    return readFileSync(join(folder, 'dist/nexus'));
  };
  const binary = build();
  assert.equal(execFileSync(process.execPath, ['src/main.ts'], { cwd: folder, encoding: 'utf8' }), 'one two\n');
  assert.equal(execFileSync(join(folder, 'dist/nexus'), { cwd: tmpdir(), encoding: 'utf8' }), 'one two\n');
  assert.ok(binary.equals(build()));
});

test('refuses two assets of one name', (context) => {
  const folder = checkoutWith(context, { ...sources, 'src/server/deep/assets/first.sh': 'other' });
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /two assets are named first\.sh/);
});
