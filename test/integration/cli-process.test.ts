/** The program as a process: what only a process has, and the exit code of each kind of failure. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCliWorld } from '../support/cli-world.ts';
import { answerStreams, runFakeCommand, shoutingPort } from '../support/fake-workspace.ts';
import { sourceProgram } from '../support/programs.ts';

const [program = '', ...prefix] = sourceProgram;

test('the version, quickly and as a command', async () => {
  await using world = await createCliWorld();
  for (const args of [['--version'], ['-V'], ['version']]) {
    assert.deepEqual(await world.spawn(args), { exitCode: 0, stdout: 'nexus 0.0.0-dev\n', stderr: '' });
  }
  assert.deepEqual(JSON.parse((await world.run(['version', '--json'])).stdout), { version: '1.0.0-test' });
  assert.equal((await world.run(['-V', 'x'])).stdout, 'nexus 1.0.0-test\n');
});

test('help on every level', async () => {
  await using world = await createCliWorld();
  for (const [args, first] of [
    [[], 'Usage: nexus COMMAND [options]'],
    [['--help'], 'Usage: nexus COMMAND [options]'],
    [['workspace'], 'Usage: nexus workspace COMMAND [options]'],
    [['ssh', '--help'], 'Usage: nexus ssh [options] [name] [command...]'],
    [['workspace', 'create', '-h'], 'Usage: nexus workspace create [options] <repo>'],
    [['help', 'node', 'list'], 'Usage: nexus node list [options]'],
    [['help'], 'Usage: nexus COMMAND [options]'],
  ] as const) {
    const { exitCode, stdout } = await world.run(args);
    assert.deepEqual([exitCode, stdout.split('\n')[0]], [0, first], args.join(' '));
  }
});

const exits: readonly [args: readonly string[], env: Record<string, string>, exitCode: number, stderr: RegExp][] = [
  [['workspace', 'list', '--colour'], {}, 2, /Unknown option '--colour'/],
  [
    ['workspace', '--colour'],
    {},
    2,
    /✖ Wrong use of nexus workspace\n {2}nexus workspace has no option --colour\.\n {2}→ nexus workspace --help/,
  ],
  [['wrkspace'], {}, 2, /Did you mean workspace\?\n {2}→ nexus workspace\n/],
  [['workspace', 'list'], { NEXUS_TOKEN: 'none' }, 4, /You are not signed in.*\n {2}→ export NEXUS_TOKEN=/],
  [['workspace', 'list'], { NEXUS_TOKEN: '' }, 4, /You are not signed in/],
  [['workspace', 'show', 'nothing'], {}, 5, /There is no workspace nothing/],
  [
    ['workspace', 'list'],
    { NEXUS_SERVER: 'http://127.0.0.1:2' },
    7,
    /cannot be reached: the connection was refused\.\n {2}→ nexus server start/,
  ],
  [['workspace', 'list'], { NEXUS_SERVER: 'http://' }, 2, /✖ Could not find the server/],
];
for (const [args, env, exitCode, stderr] of exits) {
  test(`nexus ${args.join(' ')} ${JSON.stringify(env)} ends with ${exitCode}`, async () => {
    await using world = await createCliWorld();
    const result = await world.spawn(args, { env });
    assert.deepEqual([result.exitCode, result.stdout], [exitCode, '']);
    assert.match(result.stderr, stderr);
  });
}

test('a local server is found with its token', async () => {
  await using world = await createCliWorld();
  const dataDir = join(world.home, 'data');
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'server.json'), JSON.stringify({ url: world.api.baseUrl, pid: 1 }));
  await writeFile(join(dataDir, 'local-token'), 'token-alice\n');
  const env = { NEXUS_DATA_DIR: dataDir, NEXUS_SERVER: '', NEXUS_TOKEN: '' };
  assert.deepEqual(await world.spawn(['workspace', 'list', '--json'], { env }), {
    exitCode: 0,
    stdout: '[]\n',
    stderr: '',
  });
});

test('NEXUS_TRACE=1 tells each request, NEXUS_DEBUG=1 where it failed', async () => {
  await using world = await createCliWorld();
  const traced = await world.run(['workspace', 'show', 'x'], { env: { NEXUS_TRACE: '1', NEXUS_DEBUG: '1' } });
  assert.match(traced.stderr, /^· GET http:\S+\/api\/v1\/workspaces\?limit=200&offset=0 200 0\.\d s req-\w+$/m);
  assert.match(traced.stderr, /^NexusError: There is no workspace x\.\n {4}at /m);
  const lost = await world.run(['workspace', 'list'], { env: { NEXUS_TRACE: '1', NEXUS_SERVER: '127.0.0.1:2' } });
  assert.match(lost.stderr, /^· GET http:\/\/127\.0\.0\.1:2\/\S+ failed$/m);
  assert.doesNotMatch(traced.stderr + lost.stderr, /token-alice/);
});

test('an unreadable file of settings is kept aside and named', async () => {
  await using world = await createCliWorld();
  await mkdir(join(world.home, '.nexus'));
  await writeFile(join(world.home, '.nexus/config.yaml'), 'server: [');
  const { exitCode, stderr } = await world.run(['workspace', 'list']);
  assert.equal(exitCode, 0);
  assert.match(stderr, /^! .*config\.yaml cannot be read \(.*\); it is kept as .*config\.yaml\.unreadable-\d+\n$/);
});

test('Ctrl-C ends a command that waits', async () => {
  await using world = await createCliWorld();
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  const options = { env: world.env, cwd: world.home };
  const watching = spawn(program, [...prefix, 'workspace', 'status', '--watch'], options);
  await once(watching.stdout, 'data');
  watching.kill('SIGINT');
  assert.deepEqual(await once(watching, 'exit'), [0, null]);

  const asked = Promise.withResolvers<void>();
  world.api.reconciler.settled = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const stopping = spawn(program, [...prefix, 'workspace', 'down'], options);
  await asked.promise;
  stopping.kill('SIGINT');
  assert.deepEqual(await once(stopping, 'exit'), [130, null]);
});

test('a second Ctrl-C ends at once what does not end by itself', async () => {
  await using world = await createCliWorld();
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  world.api.openStream = answerStreams([], (request) =>
    request.kind === 'exec' ? runFakeCommand(request) : shoutingPort(),
  );
  const child = spawn(program, [...prefix, 'workspace', 'exec', '--', 'deaf'], { env: world.env, cwd: world.home });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [heard] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(heard.toString(), 'SIGINT\n');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
});

test('a server runs until SIGTERM, and a second one on its folder does not', async () => {
  await using world = await createCliWorld();
  const dataDir = join(world.home, 'data');
  const env = {
    ...world.env,
    NEXUS_DATA_DIR: dataDir,
    NEXUS_SERVER: '',
    NEXUS_TOKEN: '',
    NEXUS_LISTEN_PORT: '0',
    NEXUS_NODE_EMBEDDED: 'false',
    NEXUS_GATEWAY_EMBEDDED: 'false',
  };
  const server = spawn(program, [...prefix, 'server', 'start'], {
    env,
    cwd: world.home,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  for await (const chunk of server.stderr) {
    log += String(chunk);
    if (log.includes('the server answers')) break;
  }
  const status = await world.spawn(['server', 'status', '--json'], { env });
  assert.equal(status.exitCode, 0, status.stderr);
  const second = await world.spawn(['server', 'start'], { env });
  assert.match(second.stderr, /✖ Could not run the server\n {2}.*\n/);
  assert.notEqual(second.exitCode, 0);
  const doctor = await world.spawn(['doctor', '--json'], { env });
  assert.equal(doctor.exitCode, 1, 'it has no node');
  server.kill('SIGTERM');
  assert.deepEqual(await once(server, 'exit'), [0, null]);
  const broken = await world.spawn(['server', 'start', '--config', join(world.home, 'nothing.yaml')], { env });
  assert.match(broken.stderr, /✖ Could not run the server\n {2}.*nothing\.yaml/);
});

test('a command that is left where it stands says so', async () => {
  await using world = await createCliWorld();
  const interrupt = new AbortController();
  world.api.app.server.prependListener('request', () => interrupt.abort());
  const left = await world.run(['workspace', 'list'], { interrupt });
  assert.deepEqual([left.exitCode, left.stderr], [130, '✖ Interrupted\n  Nothing was left half done.\n']);
});

test('a reader that has seen enough is no failure', async () => {
  await using world = await createCliWorld();
  const child = spawn(program, [...prefix, 'completion', 'fish'], {
    env: world.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(Buffer.concat(errors).toString(), '');
});

test('the completion of each shell', async () => {
  await using world = await createCliWorld();
  for (const [shell, sign] of [
    ['bash', 'complete -o default -F _nexus nexus'],
    ['zsh', '#compdef nexus'],
    ['fish', 'complete -c nexus'],
  ] as const) {
    const { exitCode, stdout } = await world.run(['completion', shell]);
    assert.ok(exitCode === 0 && stdout.includes(sign), shell);
  }
});
