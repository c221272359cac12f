/** Commands on workspaces against the real API, with a reconciler that a test steers. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { appendEvent } from '../../src/server/store/events.ts';
import { replaceServices, updateService } from '../../src/server/store/services.ts';
import { findWorkspace, updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createCliWorld, writeFiles } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';

async function worldWith(...names: string[]): Promise<CliWorld> {
  const world = await createCliWorld();
  world.api.settleAtOnce();
  for (const name of names) {
    const body = {
      workspace_name: name,
      repo: { owner: 'alice', name, url: `https://git.example.com/alice/${name}.git` },
    };
    const { workspace_id } = await world.api.client().call('createWorkspace', { body });
    await world.api.settle(workspace_id);
  }
  return world;
}

async function view(world: CliWorld, name: string): Promise<WorkspaceView> {
  const { workspaces } = await world.api.client().call('listWorkspaces');
  const id = workspaces.find((workspace) => workspace.name === name)?.workspace_id ?? '';
  return world.api.client().call('getWorkspace', { params: { id } });
}

const web = { name: 'web', command: 'npm run dev\n--port 3000', port: 3000, env: {}, depends_on: [] };

async function addServices(world: CliWorld, name: string): Promise<string> {
  const { workspace_id: id } = await view(world, name);
  await world.api.store.transaction(async (tx) => {
    await replaceServices(tx, id, [
      web,
      { name: 'db', command: 'postgres', port: 5432, env: {}, depends_on: [] },
      { name: 'job', command: 'true', env: {}, depends_on: [] },
    ]);
    await updateService(tx, id, 'web', { status: 'running', health: 'healthy', mapped_port: 23_000 });
    await updateService(tx, id, 'db', { status: 'unhealthy', health: 'unhealthy' });
    await updateService(tx, id, 'job', { status: 'stopped' });
  });
  return id;
}

test('a folder becomes a workspace: it is sent, waited for, and the end says what is next', async () => {
  await using world = await worldWith();
  await world.repository('my_Shop');
  const created = await world.run(['workspace', 'create', './my_Shop']);
  assert.equal(created.exitCode, 0, created.stderr);
  assert.match(created.stderr, /^✔ Send the repository \(\d+ B\) {2}\d/m);
  assert.match(created.stdout, /^Workspace {3}my-shop \(ws-[a-z0-9]{12}\), of alice/m);
  assert.match(created.stdout, /^Next\n {2}nexus ssh setup\n {2}nexus ssh config\n {2}nexus ssh my-shop\n/m);
  const { workspace_id, repository } = await view(world, 'my-shop');
  assert.equal(repository.url, '', 'it came from nowhere');
  assert.deepEqual([repository.owner, repository.name, repository.branch], ['local', 'my_Shop', 'main']);
  assert.ok(existsSync(join(world.api.dataDir, 'uploads', `${workspace_id}.bundle`)));

  const again = await world.run(['workspace', 'create', './my_Shop']);
  assert.equal(again.exitCode, 6);
  assert.match(
    again.stderr,
    /^✖ Could not create workspace my-shop\n {2}alice already has a workspace named my-shop \(ws-.{12}\)\.\n {2}→ nexus workspace connect my-shop\n$/m,
  );
});

test('--json prints the workspace alone, and --no-wait the first answer', async () => {
  await using world = await worldWith();
  await world.repository('shop');
  const waited = await world.run(['workspace', 'create', 'shop', '--json', '--name', 'one']);
  assert.equal((JSON.parse(waited.stdout) as WorkspaceView).name, 'one');
  const answered = await world.run(['workspace', 'create', 'shop', '--json', '--no-wait', '--name', 'two']);
  assert.deepEqual(Object.keys(JSON.parse(answered.stdout) as object), [
    'workspace_id',
    'status',
    'ssh_port',
    'polling_url',
    'estimated_time_seconds',
    'created_at',
  ]);
  const told = await world.run(['workspace', 'create', 'shop', '--no-wait', '--name', 'three']);
  assert.match(told.stdout, /^three \(ws-.{12}\) is being created: nexus workspace status three --watch\n$/);
});

test('what stays here is named, and the configuration goes with the request', async () => {
  await using world = await worldWith();
  const config = 'name: the-shop\npackages: [postgresql]\nproviders: { lxc: { image: "debian:12" } }\nservices: {}\n';
  const folder = await world.repository('shop', { '.nexus/config.yaml': config, 'a.txt': 'x' });
  await writeFiles(folder, { 'a.txt': 'changed' });
  const created = await world.run(['workspace', 'create', folder]);
  assert.equal(created.exitCode, 0, created.stderr);
  assert.match(
    created.stderr,
    /^! 1 file with uncommitted changes stays here \(a\.txt\); --include-changes takes them along$/m,
  );
  const { workspace_id } = await view(world, 'the-shop');
  const row = await findWorkspace(world.api.store.db, workspace_id);
  const request = JSON.parse(row?.request_json ?? '') as {
    packages: string[];
    image: string;
    repo: { source: string };
  };
  assert.deepEqual([request.packages, request.image, request.repo.source], [['postgresql'], 'debian:12', 'upload']);

  await writeFiles(folder, { 'b.txt': 'new', '\u001B[2Jc': '', d: '', e: '', f: '' });
  const both = await world.run(['workspace', 'create', folder, '--name', 'x']);
  assert.match(both.stderr, /^! 6 files with uncommitted changes stay here \(a\.txt, \?\[2Jc, b\.txt, d, e, …\); /m);
  const wrong: readonly (readonly [repository: string, ...more: string[]])[] = [
    ['https://example.com/team/tool.git'],
    [folder, '--branch', 'HEAD~1'],
  ];
  await world.git(folder, 'commit', '--quiet', '--all', '--message', 'second');
  await writeFiles(folder, { 'a.txt': 'changed again' });
  for (const words of wrong) {
    const refused = await world.run(['workspace', 'create', ...words, '--name', 'z', '--include-changes']);
    assert.deepEqual([refused.exitCode, /--include-changes takes those of /.test(refused.stderr)], [2, true]);
  }
  const taken = await world.run([
    'workspace',
    'create',
    folder,
    '--name',
    'y',
    '--include-changes',
    '--provider',
    'lxc',
    '--image',
    'ubuntu:22.04',
  ]);
  assert.equal(taken.exitCode, 0, taken.stderr);
  assert.doesNotMatch(taken.stderr, /uncommitted/);
  assert.equal((await view(world, 'y')).image, 'ubuntu:22.04');
});

test('a broken configuration is told before anything is created', async () => {
  await using world = await worldWith();
  const folder = await world.repository('shop', { '.nexus/config.yaml': 'version: "1.0"\nservcies: {}\n' });
  const failed = await world.run(['workspace', 'create', folder]);
  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stderr,
    /\.nexus\/config\.yaml:2:1: servcies: is not a known key; did you mean services\?\n {2}→ nexus config validate/,
  );
  assert.deepEqual((await world.api.client().call('listWorkspaces')).workspaces, []);
});

test('a shallow clone says what becomes of it', async () => {
  await using world = await worldWith();
  const folder = await world.repository('shop');
  await writeFiles(folder, { 'b.txt': 'x' });
  await world.git(folder, 'add', '--all');
  await world.git(folder, 'commit', '--quiet', '--message', 'second');
  await world.git(world.home, 'clone', '--quiet', '--depth', '1', `file://${folder}`, 'shallow');
  const created = await world.run(['workspace', 'create', 'shallow', '--json']);
  assert.match(created.stderr, /This is a shallow clone/);
  assert.equal((JSON.parse(created.stdout) as WorkspaceView).repository.name, 'shallow');
});

test('a repository elsewhere is the node’s to clone', async () => {
  await using world = await worldWith();
  const created = await world.run(['workspace', 'create', 'https://github.com/alice/tool/tree/next', '--json']);
  const { name, repository } = JSON.parse(created.stdout) as WorkspaceView;
  assert.deepEqual([name, repository.branch, repository.url], ['tool', 'next', 'https://github.com/alice/tool.git']);
  const plain = await world.run([
    'workspace',
    'create',
    'alice/tool',
    '--branch',
    'v1',
    '--name',
    'tool-v1',
    '--provider',
    'lxc',
    '--json',
  ]);
  assert.equal((JSON.parse(plain.stdout) as WorkspaceView).repository.branch, 'v1');
  const simple = await world.run(['workspace', 'create', 'alice/simple', '--json']);
  assert.equal((JSON.parse(simple.stdout) as WorkspaceView).repository.branch, null);
});

const refused: readonly [args: readonly string[], exitCode: number, why: RegExp][] = [
  [['nowhere'], 2, /neither owner\/name/],
  [['./nowhere'], 5, /There is no folder .*\/nowhere\.\n {2}→ nexus workspace create \.\n/],
  [[''], 2, /The empty text is neither/],
  [
    ['alice/tool', '--name', 'Not A Name'],
    2,
    /The name Not A Name must be 1 to 40[^]*→ nexus workspace create REPO --name not-a-name/,
  ],
  [['alice/___'], 2, /No name can be made of ___: it must be/],
  [['git@example.com:a/---'], 0, /^$/],
];
for (const [args, exitCode, why] of refused) {
  test(`create ${args.join(' ')} ends with ${exitCode}`, async () => {
    await using world = await worldWith();
    const result = await world.run(['workspace', 'create', ...args]);
    assert.deepEqual([result.exitCode, why.test(result.stderr)], [exitCode, true], result.stderr);
  });
}

test('a workspace that fails ends the wait with its error', async () => {
  await using world = await createCliWorld();
  const error = new NexusError('hook_failed', { hook: 'pre_start', exit_code: 1, output: ['npm ERR!'] }).toBody();
  world.api.reconciler.nudge = (id) =>
    void world.api.store.transaction(async (tx) => {
      await appendEvent(tx, { workspace_id: id, type: 'step', data: { step: 'installing' } });
      await appendEvent(tx, { workspace_id: id, type: 'progress', data: { line: 'npm install' } });
      await updateWorkspace(tx, id, { status: 'error', step: null, error_json: JSON.stringify(error) });
      await appendEvent(tx, { workspace_id: id, type: 'status', data: { status: 'error', error } });
    });
  const failed = await world.run(['workspace', 'create', 'alice/tool']);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /^✖ Install dependencies {2}\S+ s {2}The hook pre_start ended with 1\.$/m);
  assert.match(
    failed.stderr,
    /^✖ Could not create workspace tool\n {2}The hook pre_start ended with 1\.\n {2}npm ERR!\n {2}→ nexus workspace logs tool --service pre_start\n$/m,
  );
  const shown = await world.run(['workspace', 'show', 'tool']);
  assert.match(shown.stdout, /^Error .*The hook pre_start ended with 1\.\n.*npm ERR!\n.*→ nexus workspace logs tool/m);
  assert.match((await world.run(['workspace', 'status', 'tool'])).stdout, /^tool {2}error\n! The hook pre_start/);
});

test('Ctrl-C leaves the work to the server and says how to come back', async () => {
  await using world = await createCliWorld();
  const interrupt = new AbortController();
  world.api.reconciler.nudge = () => interrupt.abort();
  const left = await world.run(['workspace', 'create', 'alice/tool'], { interrupt });
  assert.equal(left.exitCode, 130);
  assert.match(left.stderr, /✖ Could not create workspace tool|✖ Interrupted/);
  assert.match(left.stderr, / {2}The server goes on with tool\.\n {2}→ nexus workspace status tool --watch\n$/);
  assert.equal((await view(world, 'tool')).status, 'pending');
});

test('Ctrl-C before the repository was sent leaves nothing', async () => {
  await using world = await worldWith();
  await world.repository('shop');
  const interrupt = new AbortController();
  world.api.reconciler.nudge = (id) => {
    interrupt.abort();
    void world.api.settle(id);
  };
  const left = await world.run(['workspace', 'create', 'shop'], { interrupt });
  assert.equal(left.exitCode, 130);
  assert.match(left.stderr, /shop was not created: its repository was not sent yet\./);
  assert.deepEqual((await world.api.client().call('listWorkspaces')).workspaces, []);
});

test('a repository that is larger than the server takes leaves nothing, and says how it gets there', async () => {
  await using world = await createCliWorld({ api: { env: { NEXUS_LIMITS_UPLOAD: '100' } } });
  const folder = await world.repository('shop');
  const failed = await world.run(['workspace', 'create', 'shop']);
  assert.match(
    failed.stderr,
    /✖ Could not create workspace shop\n {2}The repository is \d+ B, and this server takes 100 B \(limits\.upload\)\.\n {2}→ git -C \S+ count-objects -vH\n/,
  );
  await world.git(folder, 'remote', 'add', 'origin', 'https://git.example.com/alice/shop.git');
  const pushed = await world.run(['workspace', 'create', 'shop']);
  assert.match(pushed.stderr, /→ nexus workspace create https:\/\/git\.example\.com\/alice\/shop\.git\n/);
  assert.deepEqual((await world.api.client().call('listWorkspaces')).workspaces, []);
});

test('a repository that cannot be kept leaves nothing', async () => {
  await using world = await worldWith();
  await world.repository('shop');
  rmSync(join(world.api.dataDir, 'uploads'), { recursive: true });
  writeFileSync(join(world.api.dataDir, 'uploads'), 'in the way');
  const failed = await world.run(['workspace', 'create', 'shop']);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /^✖ Send the repository[^]*✖ Could not create workspace shop\n {2}The server failed/m);
  assert.deepEqual((await world.api.client().call('listWorkspaces')).workspaces, []);
});

test('the list, in a table and as JSON', async () => {
  await using world = await worldWith();
  assert.equal(
    (await world.run(['workspace', 'list'])).stdout,
    'You have no workspaces yet: nexus workspace create REPO\n',
  );
  assert.deepEqual(JSON.parse((await world.run(['workspace', 'ls', '--json'])).stdout), []);
  await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'one', repo: { owner: 'o', name: 'r' } } });
  const { stdout } = await world.run(['workspace', 'list']);
  assert.match(
    stdout,
    /^NAME +STATUS +SERVICES +SSH +CREATED +ID\none +(?:pending|running) +0 +2222 +.* ago +ws-.{12}\n$/,
  );
  const coloured = await world.run(['workspace', 'list'], { terminal: 200 });
  assert.ok(coloured.stdout.includes('\u001B[2mNAME'), coloured.stdout);
});

test('show and services say everything', async () => {
  await using world = await worldWith('shop');
  const id = await addServices(world, 'shop');
  await world.api.store.transaction((tx) =>
    updateWorkspace(tx, id, {
      commit_id: 'a'.repeat(40),
      warnings_json: '["db is not healthy"]',
      step: 'starting_service:web',
      ssh_port: null,
    }),
  );
  const { stdout } = await world.run(['workspace', 'show', id]);
  assert.match(stdout, /^Repository {2}alice\/shop at aaaaaaaaaa$/m);
  assert.match(stdout, /^Status {6}running \(Start web\)$/m);
  assert.match(stdout, /^SSH {9}nexus ssh shop$/m);
  assert.match(stdout, /^Warning {5}db is not healthy$/m);
  assert.match(stdout, /^web +running +healthy +http:\/\/localhost:23000 +npm run dev$/m);
  assert.match(stdout, /^db +unhealthy +unhealthy +nexus workspace port shop 5432 +postgres$/m);
  assert.match(stdout, /^job +stopped +unknown +true$/m);
  const services = JSON.parse((await world.run(['workspace', 'services', 'shop', '--json'])).stdout) as {
    name: string;
  }[];
  assert.deepEqual(
    services.map(({ name }) => name),
    ['web', 'db', 'job'],
  );
  assert.match((await world.run(['workspace', 'services'])).stdout, /^SERVICE +STATUS/);
  assert.match(
    (await world.run(['workspace', 'status'])).stdout,
    /^shop {2}running \(Start web\)\n! db is not healthy\n! every SSH port[^]*\nSERVICE/,
  );
});

test('which workspace is meant', async () => {
  await using world = await worldWith('shop', 'tool');
  const which = async (args: readonly string[], cwd = world.home): Promise<string> => {
    const { stdout, stderr } = await world.run(['workspace', 'show', ...args, '--json'], { cwd });
    return stdout === '' ? stderr : (JSON.parse(stdout) as WorkspaceView).name;
  };
  assert.equal(await which(['shop']), 'shop');
  assert.equal(await which([(await view(world, 'tool')).workspace_id]), 'tool');
  assert.match(await which(['toll']), /There is no workspace toll\. Did you mean tool\?/);
  assert.match(await which([]), /Say which workspace:\n(?: {2}(?:tool|shop) \(ws-.*\n){2} {2}→ nexus workspace list/);
  const folder = await world.repository('clone');
  assert.match(await which([], folder), /Say which workspace/);
  await world.git(folder, 'remote', 'add', 'origin', 'git@git.example.com:alice/tool.git');
  assert.equal(await which([], folder), 'tool');
  const body = {
    workspace_name: 'tool-2',
    repo: { owner: 'alice', name: 'tool', url: 'https://git.example.com/alice/tool' },
  };
  await world.api.client().call('createWorkspace', { body });
  assert.match(await which([], folder), /There are several workspaces of this repository:\n {2}tool/);
  await world.api
    .client('bob')
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'b', name: 'r' } } });
  assert.match(await which(['shop']), /There are several workspaces named shop|^shop$/);
});

test('a folder without an origin means the workspace it was sent to', async () => {
  await using world = await worldWith('other');
  const folder = await world.repository('shop');
  assert.equal((await world.run(['workspace', 'create', '.'], { cwd: folder })).exitCode, 0);
  const { stdout } = await world.run(['workspace', 'show', '--json'], { cwd: folder });
  assert.equal((JSON.parse(stdout) as WorkspaceView).name, 'shop');
});

test('without workspaces there is nothing to name', async () => {
  await using world = await worldWith();
  const { exitCode, stderr } = await world.run(['workspace', 'show']);
  assert.equal(exitCode, 5);
  assert.match(stderr, /You have no workspaces yet\.\n {2}→ nexus workspace create \.\n/);
});

test('more workspaces than a page are all found', async () => {
  await using world = await worldWith();
  for (let number = 0; number < 19; number++) {
    await world.api
      .client()
      .call('createWorkspace', { body: { workspace_name: `w${number}`, repo: { owner: 'o', name: 'r' } } });
  }
  assert.equal((JSON.parse((await world.run(['workspace', 'list', '--json'])).stdout) as unknown[]).length, 19);
});

test('stop, start and restart', async () => {
  await using world = await worldWith('shop');
  const down = await world.run(['workspace', 'down', 'shop']);
  assert.deepEqual(
    [down.exitCode, down.stdout],
    [0, 'shop is stopped: nexus workspace up shop starts it again\n'],
    down.stderr,
  );
  const twice = await world.run(['workspace', 'down', 'shop']);
  assert.equal(twice.exitCode, 6);
  assert.match(twice.stderr, /shop is stopped already\.\n {2}→ nexus workspace up shop/);
  const up = await world.run(['workspace', 'up', 'shop']);
  assert.equal(up.exitCode, 0, up.stderr);
  assert.match(up.stdout, /^Status +running$/m);
  assert.equal((await world.run(['workspace', 'up', 'shop'])).exitCode, 6);
  const restarted = await world.run(['workspace', 'restart', 'shop', '--json']);
  assert.equal((JSON.parse(restarted.stdout) as WorkspaceView).status, 'running');
  const forced = await world.run(['workspace', 'down', 'shop', '--force', '--json']);
  assert.deepEqual(Object.keys(JSON.parse(forced.stdout) as object), ['workspace_id', 'status', 'stopped_at']);
  assert.match((await world.run(['workspace', 'restart', 'shop'])).stdout, /^Status +running$/m);
  await world.run(['workspace', 'down', 'shop']);
  assert.match((await world.run(['workspace', 'up', 'shop', '--no-wait'])).stdout, /^shop is being started/);
});

test('up joins the wait for a workspace that is on its way', async () => {
  await using world = await createCliWorld();
  const body = { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } };
  const { workspace_id: id } = await world.api.client().call('createWorkspace', { body });
  // Its own stream of events is the sign that it waits.
  world.api.app.server.on('request', ({ url }) => void (url?.includes('/events') && world.api.settle(id)));
  const up = await world.run(['workspace', 'up', 'shop']);
  assert.equal(up.exitCode, 0, up.stderr);
  assert.match(up.stdout, /^Status +running$/m);
  assert.equal((await world.run(['workspace', 'up', 'shop', '--no-wait'])).exitCode, 6);
});

test('Ctrl-C while it stops leaves that to the server', async () => {
  await using world = await worldWith('shop');
  const interrupt = new AbortController();
  world.api.reconciler.settled = async () => {
    interrupt.abort();
    await new Promise(() => undefined);
  };
  const left = await world.run(['workspace', 'down', 'shop'], { interrupt });
  assert.equal(left.exitCode, 130);
  assert.match(
    left.stderr,
    /✖ Interrupted\n {2}The server goes on with shop\.\n {2}→ nexus workspace status shop --watch/,
  );
});

test('Ctrl-C while it stops to be started again says that nobody starts it', async () => {
  await using world = await worldWith('shop');
  const interrupt = new AbortController();
  world.api.reconciler.settled = async () => {
    interrupt.abort();
    await new Promise(() => undefined);
  };
  const left = await world.run(['workspace', 'restart', 'shop'], { interrupt });
  assert.equal(left.exitCode, 130);
  assert.match(
    left.stderr,
    /✖ Interrupted\n {2}shop is stopped, and is not started again\.\n {2}→ nexus workspace up shop/,
  );
});

test('status --watch tells every change until Ctrl-C', async () => {
  await using world = await worldWith('shop');
  const interrupt = new AbortController();
  const { workspace_id: id } = await view(world, 'shop');
  let isStopped = false;
  const watched = await world.run(['workspace', 'status', 'shop', '--watch'], {
    interrupt,
    onOutput(text) {
      if (text.includes('stopped')) interrupt.abort();
      if (!text.includes('running') || isStopped) return;
      isStopped = true;
      void world.api.client().call('stopWorkspace', { params: { id } });
    },
  });
  assert.deepEqual([watched.exitCode, watched.stderr], [0, '']);
  assert.match(watched.stdout, /^shop {2}running\n[^]*shop {2}stopped\n$/);
});

test('status --watch ends with the workspace', async () => {
  await using world = await worldWith('shop');
  const { workspace_id: id } = await view(world, 'shop');
  let isDeleted = false;
  const watched = await world.run(['workspace', 'status', 'shop', '--watch'], {
    terminal: 80,
    onOutput() {
      if (isDeleted) return;
      isDeleted = true;
      void world.api.client().call('deleteWorkspace', { params: { id }, query: { force: true } });
    },
  });
  assert.equal(watched.exitCode, 0);
  assert.match(watched.stdout, /shop is deleted\.\n$/);
});
