/** The compiled `nexus` as people run it: what Bun's runtime does with streams, sockets and terminals, and no more. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import type { StreamRequest } from '../../src/contract/stream-protocol.ts';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';
import { answerStreams, runFakeCommand, shoutingPort } from '../support/fake-workspace.ts';
import { compiledProgram } from '../support/programs.ts';

const [program = ''] = compiledProgram;

/** A world with a workspace in it, inside of which commands, ports and logs answer. */
async function worldWithShop(): Promise<CliWorld & { id: string; requests: StreamRequest[] }> {
  const world = await createCliWorld({ program: compiledProgram });
  const { api } = world;
  const requests: StreamRequest[] = [];
  api.openStream = answerStreams(requests, (request) => {
    if (request.kind === 'exec') return runFakeCommand(request);
    if (request.kind === 'tcp') return shoutingPort();
    const logs = new PassThrough();
    logs.write('one\ntwo\n');
    if (request.kind === 'logs' && !request.follow) logs.end();
    return logs;
  });
  const { workspace_id: id } = await api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await api.settle(id);
  return { ...world, id, requests, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test('the version says release and commit', async () => {
  await using world = await createCliWorld({ program: compiledProgram });
  const { exitCode, stdout, stderr } = await world.spawn(['--version']);
  assert.deepEqual([exitCode, stderr], [0, '']);
  assert.match(stdout, /^nexus \d+\.\d+\.\d+\S*\n$/);
  assert.equal((await world.spawn(['version'])).stdout, stdout);
});

test('help names every command', async () => {
  await using world = await createCliWorld({ program: compiledProgram });
  const { stdout } = await world.spawn(['--help']);
  assert.equal(
    stdout,
    `Usage: nexus COMMAND [options]

Ready, isolated, remote development workspaces from a repository, on machines your team owns.

Commands:
  up          From a repository to your open editor
  workspace   Create and use workspaces
  auth        Sign in
  ssh         SSH into a workspace; keys and configuration
  editor      Editors on this machine
  config      A repository's .nexus/config.yaml
  doctor      Check everything here and on the server
  server      The server, for administrators
  node        Machines that hold workspaces, for administrators
  agent       The agent of a node, for administrators
  completion  Print the completion script of your shell
  version     Print the version
  help        Show help of a command

Examples:
  nexus workspace create alice/my-project
  nexus workspace create .
  nexus ssh my-project

nexus COMMAND --help says more about a command.
`,
  );
  assert.match(
    (await world.spawn(['workspace', 'exec', '--help'])).stdout,
    /^Usage: nexus workspace exec \[options\] \[name\] \[command\.\.\.\]\n/,
  );
});

const failures: readonly [args: readonly string[], env: Record<string, string>, exitCode: number, stderr: RegExp][] = [
  [['worksapce'], {}, 2, /^✖ Unknown command worksapce\n {2}.* Did you mean workspace\?\n {2}→ nexus workspace\n$/],
  [['workspace', 'list', '--jsno'], {}, 2, /^✖ Wrong use of nexus workspace list\n/],
  [['workspace', 'list'], { NEXUS_TOKEN: 'x' }, 4, /You are not signed in/],
  [
    ['workspace', 'show', 'shpo'],
    {},
    5,
    /There is no workspace shpo\. Did you mean shop\?\n {2}→ nexus workspace list\n$/,
  ],
  [['workspace', 'up', 'shop'], {}, 6, /shop is running already\.\n {2}→ nexus workspace status shop\n$/],
  [
    ['workspace', 'list'],
    { NEXUS_SERVER: 'http://127.0.0.1:2' },
    7,
    /the connection was refused\.\n {2}→ nexus server start\n$/,
  ],
  [
    ['workspace', 'delete', 'shop'],
    {},
    2,
    /there is no terminal to ask on\.\n {2}→ nexus workspace delete shop --yes\n$/,
  ],
];
for (const [args, env, exitCode, stderr] of failures) {
  test(`nexus ${args.join(' ')} ${JSON.stringify(env)} ends with ${exitCode}`, async () => {
    await using world = await worldWithShop();
    const result = await world.spawn(args, { env });
    assert.deepEqual([result.exitCode, result.stdout], [exitCode, ''], result.stderr);
    assert.match(result.stderr, stderr);
  });
}

test('a folder goes in, is waited for, and is found by its clone', async () => {
  await using world = await createCliWorld({ program: compiledProgram });
  world.api.settleAtOnce();
  const folder = await world.repository('tool', {
    'big.bin': 'x'.repeat(3_000_000),
    '.nexus/config.yaml': 'name: my-tool\nservices: {}\n',
  });
  const created = await world.spawn(['workspace', 'create', '.'], { cwd: folder });
  assert.equal(created.exitCode, 0, created.stderr);
  assert.match(created.stderr, /^✔ Send the repository/m);
  assert.match(created.stdout, /^Workspace +my-tool/);
  const { workspace_id } = JSON.parse(
    (await world.spawn(['workspace', 'show', '--json'], { cwd: folder })).stdout,
  ) as WorkspaceView;
  const clone = join(world.home, 'clone');
  await world.git(world.home, 'clone', '--quiet', join(world.api.dataDir, 'uploads', `${workspace_id}.bundle`), clone);
  assert.equal(await world.git(clone, 'log', '--format=%s'), 'first');
});

test('a command has its streams and its exit code', async () => {
  await using world = await worldWithShop();
  const echo = await world.spawn(['workspace', 'exec', 'shop', '--', 'echo', 'a', '--b']);
  assert.deepEqual(echo, { exitCode: 0, stdout: 'a --b\n', stderr: '' });
  assert.deepEqual(await world.spawn(['workspace', 'exec', 'shop', '--', 'fail']), {
    exitCode: 3,
    stdout: '',
    stderr: 'it failed\n',
  });
  const text = 'x'.repeat(500_000);
  assert.equal(
    (await world.spawn(['workspace', 'exec', 'shop', '--stdin', '--', 'cat'], { input: text })).stdout.length,
    text.length,
  );
});

test('logs are followed until Ctrl-C', async () => {
  await using world = await worldWithShop();
  assert.equal((await world.spawn(['workspace', 'logs', 'shop'])).stdout, 'one\ntwo\n');
  const following = spawn(program, ['workspace', 'logs', 'shop', '--follow'], { env: world.env });
  const [chunk] = (await once(following.stdout, 'data')) as [Buffer];
  assert.match(chunk.toString(), /^one\n/);
  following.kill('SIGINT');
  assert.deepEqual(await once(following, 'exit'), [0, null]);
});

test('bytes go through to a port, and through ssh’s proxy', async () => {
  await using world = await worldWithShop();
  assert.deepEqual(await world.spawn(['ssh', '--proxy', world.id], { input: 'ssh' }), {
    exitCode: 0,
    stdout: 'SSH',
    stderr: '',
  });
  const forwarding = spawn(program, ['workspace', 'port', 'shop', '5432:0'], { env: world.env });
  const [line] = (await once(forwarding.stdout, 'data')) as [Buffer];
  const socket = connect(Number(/:(\d+) /.exec(line.toString())?.[1]), '127.0.0.1');
  socket.write('query');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.toString(), 'QUERY');
  socket.destroy();
  forwarding.kill('SIGINT');
  assert.deepEqual(await once(forwarding, 'exit'), [0, null]);
});

test('the completion for bash is read by bash', async () => {
  await using world = await createCliWorld({ program: compiledProgram });
  const { stdout } = await world.spawn(['completion', 'bash']);
  execFileSync('bash', ['-n'], { input: stdout });
  for (const shell of ['zsh', 'fish']) assert.match((await world.spawn(['completion', shell])).stdout, /workspace/);
});
