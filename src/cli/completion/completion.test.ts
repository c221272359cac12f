import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { registry } from '../registry.ts';
import { completionModel } from './completion-model.ts';
import { shells } from './shells.ts';

const model = await completionModel(registry);
const folder = mkdtempSync(join(tmpdir(), 'nexus-completion-'));
after(() => rmSync(folder, { recursive: true }));

test('the model has every command under each of its names', () => {
  const entry = model.find(({ words }) => words === 'workspace ls');
  assert.deepEqual(entry?.options, ['--help', '--json']);
  assert.equal(entry.takesWorkspace, false);
  assert.equal(model.find(({ words }) => words === 'workspace exec')?.takesWorkspace, true);
  assert.ok(!model.some(({ words }) => words.startsWith('gateway')));
  assert.ok(!model.some(({ options }) => options.includes('--proxy')));
});

/** What bash offers for the last of the words. */
function complete(words: readonly string[]): string[] {
  const script = join(folder, 'nexus.bash');
  writeFileSync(script, shells.bash(model));
  execFileSync('bash', ['-n', script]);
  const array = words.map((word) => `'${word}'`).join(' ');
  const ask = `
    nexus() { printf '[\\n  {\\n    "name": "shop",\\n    "status": "running"\\n  }\\n]\\n'; }
    source ${script}
    COMP_WORDS=(nexus ${array}); COMP_CWORD=${words.length}
    _nexus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', ask], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

const completions: readonly [words: readonly string[], offered: readonly string[]][] = [
  [['work'], ['workspace']],
  [
    ['workspace', 'l'],
    ['list', 'ls', 'logs'],
  ],
  [['workspace', 'list', '--j'], ['--json']],
  [['workspace', 'show', 's'], ['shop']],
  [
    ['ssh', 's'],
    ['setup', 'shop'],
  ],
  [['workspace', 'show', 'shop', 's'], []],
  [['workspace', 'create', '--na'], ['--name']],
];
for (const [words, offered] of completions) {
  test(`bash completes ${words.join(' ')}`, () => assert.deepEqual(complete(words), offered));
}

test('zsh and fish get every command too', () => {
  for (const script of [shells.zsh(model), shells.fish(model)]) {
    for (const word of ['workspace create', 'include-changes', 'Make a workspace from a repository'])
      assert.ok(script.includes(word), word);
  }
});

for (const shell of ['zsh', 'fish'] as const) {
  const isThere = spawnSync(shell, ['--version']).error === undefined;
  test(`${shell} reads its script`, { skip: isThere ? false : `${shell} is not installed` }, () => {
    const script = join(folder, shell);
    writeFileSync(script, shells[shell](model));
    execFileSync(shell, ['-n', script]);
  });
}
