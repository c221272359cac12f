/** `nexus editor` and `nexus workspace connect`, with stand-ins for the editors and OpenSSH that record their arguments. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';

const folder = '/home/dev/workspace';

/** Programs on a PATH of their own; each writes its arguments to a file of its name, a line each. */
async function withPrograms(world: CliWorld, names: readonly string[], script = ''): Promise<Record<string, string>> {
  const bin = join(world.home, 'bin');
  await mkdir(bin, { recursive: true });
  for (const name of names) {
    const text = `#!/bin/sh\n: > '${world.home}/${name}.args'; for a; do echo "$a" >> '${world.home}/${name}.args'; done\n${script}\n`;
    await writeFile(join(bin, name), text, { mode: 0o755 });
  }
  return { PATH: `${bin}:/usr/bin:/bin` };
}

async function argsOf(world: CliWorld, name: string): Promise<string[]> {
  return (await readFile(join(world.home, `${name}.args`), 'utf8')).trimEnd().split('\n');
}

async function workspace(world: CliWorld, name = 'shop'): Promise<string> {
  await world.run(['ssh', 'setup']);
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: name, repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  return workspace_id;
}

test('the editors of this machine are shown, with the one that opens workspaces', async () => {
  await using world = await createCliWorld();
  const env = await withPrograms(world, ['code', 'codium', 'nvim']);
  const shown = await world.run(['editor', 'detect', '--json'], { env });
  const rows = JSON.parse(shown.stdout) as { id: string; path: string; preferred: boolean }[];
  assert.deepEqual(
    rows.filter((row) => row.id !== 'vim').map((row) => [row.id, row.path, row.preferred]),
    [
      ['code', join(world.home, 'bin/code'), true],
      ['codium', join(world.home, 'bin/codium'), false],
      ['nvim', join(world.home, 'bin/nvim'), false],
    ],
  );
  const named = await world.run(['editor', 'detect'], { env: { ...env, NEXUS_EDITOR: 'VSCodium' } });
  assert.match(named.stdout, /^codium +VSCodium +.*codium +opens workspaces$/m);
  await mkdir(join(world.home, '.nexus'), { recursive: true });
  await writeFile(join(world.home, '.nexus/config.yaml'), 'editor:\n  preferred: zed\n');
  const absent = await world.run(['editor', 'detect'], { env });
  assert.equal(absent.stderr, '! editor.preferred asks for zed, which is not here\n');
  const none = await world.run(['editor', 'detect'], { env: { PATH: join(world.home, 'nothing') } });
  assert.match(none.stdout, /^None of cursor, .*, vim is on the PATH\.\n$/);
});

const opened: readonly (readonly [editor: string, program: string, args: readonly string[], link: string])[] = [
  [
    'cursor',
    'cursor',
    ['--remote', 'ssh-remote+nexus-shop', folder],
    `cursor://vscode-remote/ssh-remote+nexus-shop${folder}`,
  ],
  [
    'vscode',
    'code',
    ['--remote', 'ssh-remote+nexus-shop', folder],
    `vscode://vscode-remote/ssh-remote+nexus-shop${folder}`,
  ],
  [
    'codium',
    'codium',
    ['--remote', 'ssh-remote+nexus-shop', folder],
    `vscodium://vscode-remote/ssh-remote+nexus-shop${folder}`,
  ],
  ['zed', 'zeditor', [`ssh://nexus-shop${folder}`], `zed://ssh/nexus-shop${folder}`],
  [
    'JetBrains',
    'idea',
    [
      'jetbrains-gateway://connect#type=ssh&host=nexus-shop&port=2222&user=dev&deploy=true&projectPath=%2Fhome%2Fdev%2Fworkspace',
    ],
    'jetbrains-gateway://connect#type=ssh&host=nexus-shop&port=2222&user=dev&deploy=true&projectPath=%2Fhome%2Fdev%2Fworkspace',
  ],
];

test('each editor is opened in its own way, after SSH was tried', async () => {
  await using world = await createCliWorld();
  const id = await workspace(world);
  const programs = opened.map(([, program]) => program);
  const env = await withPrograms(world, ['ssh', ...programs]);
  for (const [editor, program, args, link] of opened) {
    const connected = await world.spawn(['workspace', 'connect', 'shop', '--editor', editor, '--json'], { env });
    assert.equal(connected.exitCode, 0, connected.stderr);
    const { editor: used, ...answer } = JSON.parse(connected.stdout) as Record<string, unknown>;
    assert.ok(typeof used === 'string');
    assert.deepEqual(answer, { workspace_id: id, name: 'shop', opened: true, link, ssh_command: 'ssh nexus-shop' });
    assert.deepEqual(await argsOf(world, program), args);
  }
  const config = join(world.home, '.ssh/config');
  assert.deepEqual(await argsOf(world, 'ssh'), [
    '-F',
    config,
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=10',
    'nexus-shop',
    'true',
  ]);
  assert.match(await readFile(config, 'utf8'), /^Include .*\.nexus\/ssh\/config$/m);
  const told = await world.spawn(['editor', 'launch', 'shop'], { env });
  assert.match(told.stdout, /^Editor +Cursor opens shop\nLink +cursor:\/\/.*\nSSH +ssh nexus-shop\n$/);
});

/** OpenSSH with a shared connection that hangs until it is ended; a new one gets in or not. */
const hanging = (alone: string): string => `
case "$*" in
*'-O exit'*) echo exit >> "$HOME/ssh.ended" ;;
*'-O check'*) ;;
*ControlPath=none*) ${alone} ;;
*) test -e "$HOME/ssh.ended" || exec sleep 60 ;;
esac`;

test('a shared connection that hangs is ended when a new one gets in', async () => {
  await using world = await createCliWorld();
  await workspace(world);
  const env = await withPrograms(world, ['ssh'], hanging('echo "No route to host" >&2; exit 255'));
  await withPrograms(world, ['code']);
  const cut = await world.spawn(['workspace', 'connect', 'shop'], { env });
  assert.match(cut.stderr, /ssh nexus-shop does not get in: No route to host\n/);
  await assert.rejects(readFile(join(world.home, 'ssh.ended')));
  await withPrograms(world, ['ssh'], hanging('true'));
  const opened = await world.spawn(['workspace', 'connect', 'shop'], { env });
  assert.equal(opened.exitCode, 0, opened.stderr);
  assert.equal(await readFile(join(world.home, 'ssh.ended'), 'utf8'), 'exit\n');
});

test('a stopped workspace is started first; only printing starts nothing', async () => {
  await using world = await createCliWorld();
  const id = await workspace(world);
  const env = await withPrograms(world, ['ssh', 'code']);
  await world.run(['workspace', 'down', 'shop']);
  const printed = await world.spawn(['workspace', 'connect', 'shop', '--print'], { env });
  assert.equal(printed.exitCode, 0, printed.stderr);
  assert.match(printed.stdout, /^Editor +VS Code\nLink +vscode:\/\/.*\nSSH +ssh nexus-shop\n$/);
  await assert.rejects(argsOf(world, 'ssh'));
  world.api.settleAtOnce();
  const connected = await world.spawn(['workspace', 'connect', 'shop'], { env });
  assert.equal(connected.exitCode, 0, connected.stderr);
  const view = await world.api.client().call('getWorkspace', { params: { id } });
  assert.equal(view.status, 'running');
});

test('what cannot be opened says why, and what to do', async () => {
  await using world = await createCliWorld();
  await workspace(world);
  const env = await withPrograms(world, ['ssh', 'code']);
  const typo = await world.run(['workspace', 'connect', 'shop', '--editor', 'cursr'], { env });
  assert.equal(typo.exitCode, 2);
  assert.match(typo.stderr, /--editor names no editor that is known: cursr\. Did you mean cursor\? Known: /);
  const missing = await world.run(['workspace', 'connect'], { env: { ...env, NEXUS_EDITOR: 'zed' } });
  assert.equal(missing.exitCode, 1);
  assert.match(
    missing.stderr,
    /Zed, which NEXUS_EDITOR asks for, is not on this machine: .* There is: code.*\.\n {2}→ nexus editor detect/,
  );
  await withPrograms(world, ['code'], 'echo "no display" >&2; exit 3');
  const broken = await world.spawn(['workspace', 'connect', 'shop', '--editor', 'code'], { env });
  assert.equal(broken.exitCode, 1);
  assert.match(broken.stderr, /✖ Could not open shop\n {2}code could not be opened: no display\.\n/);
  await withPrograms(world, ['ssh'], 'echo "Permission denied (publickey)." >&2; exit 255');
  const shut = await world.spawn(['workspace', 'connect', 'shop', '--editor', 'code'], { env });
  assert.match(shut.stderr, /ssh nexus-shop does not get in: Permission denied \(publickey\)\.\n {2}→ nexus doctor/);
  const none = await world.run(['workspace', 'connect', 'shop'], { env: { PATH: join(world.home, 'nothing') } });
  assert.equal(none.exitCode, 0);
  assert.match(none.stdout, /^Editor +no editor\nSSH +ssh nexus-shop\n$/);
  assert.match(none.stderr, /No editor was found: none of cursor, /);
  await rm(join(world.home, 'bin'), { recursive: true });
});

test('without a registered key no editor is opened', async () => {
  await using world = await createCliWorld();
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  const env = await withPrograms(world, ['ssh', 'code']);
  const failed = await world.spawn(['workspace', 'connect', 'shop'], { env });
  assert.match(failed.stderr, /No SSH key of yours is registered\.\n {2}→ nexus ssh setup\n/);
});

test('an editor of the terminal only says how it is reached where nobody sits before it', async () => {
  await using world = await createCliWorld();
  await workspace(world);
  const env = await withPrograms(world, ['ssh', 'nvim']);
  const told = await world.spawn(['workspace', 'connect', 'shop', '--editor', 'neovim'], { env });
  assert.equal(told.exitCode, 0, told.stderr);
  assert.match(told.stdout, /^Editor +Neovim\nSSH +ssh nexus-shop\n$/);
});
