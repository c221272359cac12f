/** A command loads what it needs and no more. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCliWorld } from '../support/cli-world.ts';
import { repositoryRoot, sourceProgram } from '../support/programs.ts';

type Loaded = { readonly sources: readonly string[]; readonly packages: readonly string[] };

/** The product's own modules and the packages that `nexus ARGS` loads as a process of its own. */
async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const [node = '', ...sources] = sourceProgram;
  const recorder = join(repositoryRoot, 'test/support/record-modules.ts');
  await using world = await createCliWorld({ program: [node, '--import', recorder, ...sources] });
  const list = join(world.home, 'modules');
  const { exitCode, stderr } = await world.spawn(args, { env: { LOADED_MODULES: list } });
  assert.equal(exitCode, 0, stderr);
  const files = (await readFile(list, 'utf8'))
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map((url) => relative(repositoryRoot, fileURLToPath(url)));
  const packages = files.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return { sources: files.filter((file) => file.startsWith('src/')), packages: [...new Set(packages)].toSorted() };
}

test('the version needs nothing', async () => {
  assert.deepEqual(await loadedBy(['--version']), { sources: ['src/main.ts', 'src/lib/version.ts'], packages: [] });
});

test('help needs no package', async () => {
  const { sources, packages } = await loadedBy(['--help']);
  assert.deepEqual(packages, []);
  assert.deepEqual(commandsAmong(sources), []);
});

for (const args of [
  ['workspace', 'list'],
  ['workspace', 'logs', '--help'],
  ['config', 'schema'],
  ['node', 'list', '--help'],
]) {
  test(`${args.join(' ')} loads its own file, and what reads arguments and answers`, async () => {
    const { sources, packages } = await loadedBy(args);
    assert.deepEqual(commandsAmong(sources), [`src/cli/commands/${args[0]}-${args[1]}.ts`]);
    assert.deepEqual(packages, ['commander', 'zod']);
  });
}

test('no command brings a role with it, nor what only some of its uses need', async () => {
  // It asks every command for its options.
  const { sources, packages } = await loadedBy(['completion', 'bash']);
  assert.ok(commandsAmong(sources).length > 30);
  assert.deepEqual(
    sources.filter((file) => /^src\/(?:server|gateway|agent)\//.test(file)),
    [],
  );
  assert.deepEqual(packages, ['commander', 'yaml', 'zod']);
});

function commandsAmong(sources: readonly string[]): string[] {
  return sources.filter((file) => file.startsWith('src/cli/commands/'));
}
