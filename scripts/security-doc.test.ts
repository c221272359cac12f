import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '..');

it('every test that the threat model names is there', () => {
  const named = readFileSync(join(root, 'docs/security.md'), 'utf8').match(/`[\w./-]+\.test\.ts`/g) ?? [];
  const files = [...new Set(named.map((name) => name.slice(1, -1)))];
  assert.ok(files.length > 10);
  assert.deepEqual(
    files.filter((file) => !existsSync(join(root, file))),
    [],
  );
});
