import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorCatalogue } from '../src/contract/error-catalogue.ts';
import { errorsDoc, renderErrorsDoc } from './generate-errors-doc.ts';

test('docs/errors.md is what the catalogue says now', () => {
  assert.equal(readFileSync(errorsDoc, 'utf8'), renderErrorsDoc(), 'run: node scripts/generate-errors-doc.ts');
});

test('every code has an entry in docs/errors.md, and every entry a code', () => {
  const documented = [...readFileSync(errorsDoc, 'utf8').matchAll(/^## (.+)$/gm)].map(([, code]) => code);
  assert.deepEqual(documented, Object.keys(errorCatalogue));
});
