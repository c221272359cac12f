import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderTroubleshootingDoc, troubleshootingDoc } from './generate-troubleshooting-doc.ts';
import { troublesHere } from './troubles-here.ts';

test('docs/troubleshooting.md is what the catalogue says now', () => {
  const written = readFileSync(troubleshootingDoc, 'utf8');
  assert.equal(written, renderTroubleshootingDoc(), 'run: node scripts/generate-troubleshooting-doc.ts');
});

const sources = ['src/cli', 'src/contract'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8')),
);

for (const { says } of troublesHere) {
  test(`the command line can say: ${says}`, () => {
    const parts = says.split('…').filter((part) => part.trim().length > 2);
    assert.ok(
      sources.some((text) => parts.every((part) => text.includes(part) || text.includes(part.replaceAll("'", "\\'")))),
    );
  });
}
