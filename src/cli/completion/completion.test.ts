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
  assert.deepEqual(
    entry?.options.map(({ name }) => name),
    ['--help', '--json'],
  );
  assert.deepEqual(entry.operands, []);
  assert.deepEqual(model.find(({ words }) => words === 'workspace logs')?.operands, [
    { of: 'workspace' },
    { of: 'service' },
  ]);
  assert.ok(!model.some(({ words }) => words.startsWith('gateway')));
  assert.ok(!model.some(({ options }) => options.some(({ name }) => name === '--proxy')));
});

/** A server with a workspace `shop` that has a service `web`, on a node `node-1` with a provider. */
const fakeNexus = `nexus() {
  local name='shop'
  case "$*" in
    'node list --json') name='node-1' ;;
    'workspace services shop --json' | 'workspace services --json') name='web' ;;
    'workspace list --json') ;;
    *) return 1 ;;
  esac
  printf '[\\n  {\\n    "name": "%s",\\n    "x": [\\n      {\\n        "name": "lxc"\\n      }\\n    ]\\n  }\\n]\\n' "$name"
}`;

/** What bash offers for the last of the words. */
function complete(words: readonly string[]): string[] {
  const script = join(folder, 'nexus.bash');
  writeFileSync(script, shells.bash(model));
  execFileSync('bash', ['-n', script]);
  const array = words.map((word) => `'${word}'`).join(' ');
  const ask = `
    ${fakeNexus}
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
  [
    ['workspace', 'create', '--provider', ''],
    ['lxc', 'docker', 'qemu'],
  ],
  [['workspace', 'create', '--name', ''], []],
  [['workspace', 'connect', '--editor', 'cu'], ['cursor']],
  [['workspace', 'connect', '--editor', 'code', 's'], ['shop']],
  [['workspace', 'logs', 'shop', ''], ['web']],
  [['workspace', 'logs', 'shop', '--service', ''], ['web']],
  [['workspace', 'logs', 'shop', '--fo'], ['--follow']],
  [['workspace', 'exec', 'shop', '--', ''], []],
  [['node', 'drain', ''], ['node-1']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
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

const fish = 'fish';

function isThere(shell: string): string | false {
  return spawnSync(shell, ['--version']).error === undefined ? false : `${shell} is not installed`;
}

for (const shell of ['zsh', 'fish'] as const) {
  test(`${shell} reads its script`, { skip: isThere(shell) }, () => {
    const script = join(folder, shell);
    writeFileSync(script, shells[shell](model));
    execFileSync(shell, ['-n', script]);
  });
}

/** What fish offers for a line, sorted. */
function completeInFish(line: string): string[] {
  const script = join(folder, 'nexus.fish');
  const program = join(folder, 'nexus');
  writeFileSync(script, shells.fish(model));
  writeFileSync(program, `#!/bin/bash\n${fakeNexus}\nnexus "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder };
  const output = execFileSync(fish, ['--no-config', '-c', `source ${script}; complete -C "$argv[1]"`, line], {
    encoding: 'utf8',
    env,
  });
  return output
    .split('\n')
    .filter(Boolean)
    .map((offered) => offered.split('\t')[0] ?? '')
    .sort();
}

for (const [words, offered] of completions) {
  // Where nothing is known fish offers files, as bash does by itself.
  if (offered.length === 0) continue;
  test(`fish completes ${words.join(' ')}`, { skip: isThere('fish') }, () => {
    assert.deepEqual(completeInFish(`nexus ${words.join(' ')}`), offered.toSorted());
  });
}
