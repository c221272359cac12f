/** Commands of administrators, of a repository's configuration, and the doctor. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, symlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServerConfig } from '../../src/contract/server-config.ts';
import type { NodeFinding, Roles } from '../../src/cli/roles.ts';
import { updateNode } from '../../src/server/store/nodes.ts';
import { createCliWorld, writeFiles } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';

const notRoot = process.getuid?.() === 0 ? false : 'it needs root';

test('how the server is, for administrators and for others', async () => {
  await using world = await createCliWorld();
  await world.api.addNode('node-1');
  const all = await world.run(['server', 'status']);
  assert.match(
    all.stdout,
    /^Server .*\nStatus +ok\nUp for .*\nNode +node-1, ready, workspaces: 0\nGateway +connected, 1\.0\.0\nPorts left +SSH 78 of 78, services 1000 of 1000\nDatabase .*\nDisk .*\nUnder way +0\n$/,
  );
  const { ports } = JSON.parse((await world.run(['server', 'status', '--json'])).stdout) as { ports: { ssh: object } };
  assert.deepEqual(ports.ssh, { total: 78, free: 78 });
  const env = { NEXUS_TOKEN: 'token-bob' };
  assert.doesNotMatch((await world.run(['server', 'status'], { env })).stdout, /Database/);
  world.api.peers.gateway = () => ({ connected: false, version: null });
  assert.match((await world.run(['server', 'status'])).stdout, /^Status +degraded$[^]*^Gateway +not connected$/m);
  world.api.peers.gateway = () => ({ connected: true, version: null });
  assert.match((await world.run(['server', 'status'])).stdout, /of unknown version/);
  assert.equal((await world.run(['server', 'status'], { env: { NEXUS_SERVER: '127.0.0.1:2' } })).exitCode, 7);
});

test('nodes are listed, drained, resumed and forgotten', async () => {
  await using world = await createCliWorld();
  assert.equal(
    (await world.run(['node', 'list'])).stdout,
    'There are no nodes yet: nexus node token NAME lets one join.\n',
  );
  await world.api.addNode('node-1');
  const provider = {
    name: 'lxc',
    ok: true,
    engine: 'lxd',
    version: '5.0.2',
    disk_total_bytes: 2e10,
    disk_free_bytes: 1e10,
    reason: null,
  };
  const providers = [
    provider,
    { ...provider, disk_free_bytes: null },
    { ...provider, name: 'docker', ok: false, reason: 'no socket' },
    { ...provider, name: 'qemu', ok: false, reason: null },
  ];
  await world.api.store.transaction((tx) => updateNode(tx, 'node-1', { providers_json: JSON.stringify(providers) }));
  const { stdout } = await world.run(['node', 'list']);
  assert.match(
    stdout,
    /^node-1 +ready +0 +\S.* ago +lxc \(lxd 5\.0\.2, 9\.3 GiB free\); lxc \(lxd 5\.0\.2\); docker: not available: no socket; qemu: not available +1\.0\.0$/m,
  );
  assert.match((await world.run(['node', 'drain', 'node-1'])).stdout, /^node-1 gets no new workspaces/);
  assert.equal(
    (JSON.parse((await world.run(['node', 'ls', '--json'])).stdout) as { status: string }[])[0]?.status,
    'draining',
  );
  assert.match((await world.run(['node', 'resume', 'node-1'])).stdout, /^node-1 gets new workspaces again/);
  const unasked = await world.run(['node', 'rm', 'node-1']);
  assert.deepEqual([unasked.exitCode, /→ nexus node rm node-1 --yes/.test(unasked.stderr)], [2, true]);
  assert.equal((await world.run(['node', 'rm', 'node-1'], { terminal: 80, keys: 'n' })).exitCode, 130);
  assert.equal((await world.run(['node', 'rm', 'node-1'], { terminal: 80, keys: 'y' })).exitCode, 0);
  assert.equal((await world.run(['node', 'rm', 'node-1', '--yes'])).exitCode, 5);
  assert.equal((await world.run(['node', 'list'], { env: { NEXUS_TOKEN: 'token-bob' } })).exitCode, 1);
});

test('a node joins with one line', async () => {
  await using world = await createCliWorld();
  const { stdout } = await world.run(['node', 'token', 'node-2']);
  assert.match(
    stdout,
    /nexus agent start --server http:\S+ --name node-2 --token \S+\n\nhttp:\S+ is this machine's own address/,
  );
  const token = JSON.parse((await world.run(['node', 'token', 'node-3', '--json'])).stdout) as object;
  assert.deepEqual(Object.keys(token), ['name', 'join_token', 'expires_at']);
  assert.equal((await world.run(['node', 'token', 'No Name'])).exitCode, 2);
});

test('the roles get what was asked for', async () => {
  await using world = await createCliWorld();
  const calls: unknown[] = [];
  const keep = (name: string) => (options: unknown) => {
    calls.push([name, options]);
    return Promise.resolve();
  };
  const roles = {
    loadServerConfig: (file: string | undefined) => Promise.resolve({ data_dir: file } as ServerConfig),
    runServer: keep('server'),
    runGateway: keep('gateway'),
    runAgent: keep('agent'),
    runRelay: (port: number) => Promise.resolve(port === 3000 ? 0 : 1),
  };
  const run = (args: string[], env = {}) => world.run(args, { roles, env });
  await run(['server', 'start', '--config', 'f']);
  await run(['coordination', 'start']);
  await run(['gateway', 'run', '--server', 'u', '--state-dir', 'd', '--stream-port', '9'], { NEXUS_JOIN_TOKEN: 't' });
  await run(['agent', 'start', '--server', 'u', '--name', 'n', '--token', 't']);
  await run(['agent', 'start', '--server', 'u', '--name', 'n', '--state-dir', 'd']);
  assert.deepEqual([(await run(['relay', '3000'])).exitCode, (await run(['relay', '3001'])).exitCode], [0, 1]);
  const version = '1.0.0-test';
  const [, program, main] = [0, process.execPath, join(import.meta.dirname, '../../src/main.ts')];
  assert.deepEqual(calls, [
    ['server', { config: { data_dir: 'f' }, programCommand: [program, main], version }],
    ['server', { config: { data_dir: undefined }, programCommand: [program, main], version }],
    [
      'gateway',
      {
        serverUrl: 'u',
        stateDir: 'd',
        host: '0.0.0.0',
        streamHost: '127.0.0.1',
        streamPort: 9,
        joinToken: 't',
        version,
      },
    ],
    [
      'agent',
      {
        serverUrl: 'u',
        name: 'n',
        stateDir: '/var/lib/nexus/agent',
        joinToken: 't',
        version,
        relayCommand: [program, main, 'relay'],
      },
    ],
    [
      'agent',
      {
        serverUrl: 'u',
        name: 'n',
        stateDir: 'd',
        joinToken: undefined,
        version,
        relayCommand: [program, main, 'relay'],
      },
    ],
  ]);
});

test('a machine is made ready, and emptied', { skip: notRoot }, async () => {
  await using world = await createCliWorld();
  const roles = {
    setUpNode: ({ poolBytes, reach, onStep }: Parameters<Roles['setUpNode']>[0]) => {
      onStep('network: done');
      return Promise.resolve([{ name: 'network', pool: poolBytes ?? null, reach }]);
    },
    tearDownNode: ({ onStep }: { onStep: (line: string) => void }) => Promise.resolve(onStep('removed')),
  };
  const ready = await world.run(['node', 'setup'], { roles });
  assert.deepEqual(ready, {
    exitCode: 0,
    stdout: 'This machine is ready to hold workspaces.\n',
    stderr: 'network: done\n',
  });
  const sized = await world.run(['node', 'setup', '--pool-size', '50GB', '--json'], { roles });
  assert.deepEqual(JSON.parse(sized.stdout), [{ name: 'network', pool: 50e9 }]);
  const open = await world.run(['node', 'setup', '--reach', '192.168.1.20,10.8.0.0/16', '--json'], { roles });
  assert.deepEqual(JSON.parse(open.stdout), [{ name: 'network', pool: null, reach: ['192.168.1.20', '10.8.0.0/16'] }]);
  const closed = await world.run(['node', 'setup', '--reach', 'none', '--json'], { roles });
  assert.deepEqual(JSON.parse(closed.stdout), [{ name: 'network', pool: null, reach: [] }]);
  const wrong = await world.run(['node', 'setup', '--reach', '192.168.1.20,git.example.com'], { roles });
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stderr, /'git\.example\.com' is not an IPv4 address or network/);
  assert.deepEqual(await world.run(['node', 'teardown', '--yes'], { roles }), {
    exitCode: 0,
    stdout: '',
    stderr: 'removed\n',
  });
});

test('the configuration of a repository is written, checked and shown', async () => {
  await using world = await createCliWorld();
  const folder = await world.repository('app', {
    'package.json': '{"scripts":{"dev":"node server.js --port 3000"}}',
    'server.js': '',
    'deep/x.txt': '',
  });
  const inside = { cwd: join(folder, 'deep') };
  assert.equal((await world.run(['config', 'validate'], inside)).exitCode, 5);
  const detected = await world.run(['config', 'show'], inside);
  assert.match(detected.stdout, /^From +what the repository holds[^]*^SERVICE +PORT +AFTER +HEALTH +COMMAND$/m);
  const written = await world.run(['config', 'init'], inside);
  assert.equal(written.exitCode, 0, written.stderr);
  const file = join(folder, '.nexus/config.yaml');
  assert.match(written.stdout, /config\.yaml is written, with 1 service\.\n/);
  assert.equal((await stat(file)).mode & 0o777, 0o644);
  const again = await world.run(['config', 'init'], inside);
  assert.deepEqual([again.exitCode, /→ nexus config init --force/.test(again.stderr)], [6, true]);
  assert.equal((await world.run(['config', 'init', folder, '--force', '--json'])).exitCode, 0);
  assert.match(
    (await world.run(['config', 'validate', folder])).stdout,
    /^\.nexus\/config\.yaml is valid: 1 service\.\n$/,
  );

  const full =
    'version: "1.0"\npackages: [jq]\nproviders: { lxc: { image: "debian:12" } }\nlifecycle: { pre_start: make }\nservices: { db: 5432, web: { command: run, port: 80, depends_on: db, health_check: { type: http } }, job: { command: work } }\n';
  await writeFile(file, full.replace('db: 5432', 'db: { command: postgres, port: 5432 }'));
  await writeFiles(folder, { '.nexus/hooks/up.sh': '#!/bin/sh\n', '.nexus/hooks/down.sh': '' });
  await chmod(join(folder, '.nexus/hooks/up.sh'), 0o755);
  const shown = await world.run(['config', 'show', '~/app']);
  assert.match(
    shown.stdout,
    /^From +\.nexus\/config\.yaml\nImage +debian:12\nPackages +jq\npre_start +make\nup +\.nexus\/hooks\/up\.sh\n/,
  );
  assert.match(shown.stdout, /^web +80 +db +http +run$/m);
  const { hook_files } = JSON.parse((await world.run(['config', 'show', folder, '--json'])).stdout) as {
    hook_files: string[];
  };
  assert.deepEqual(hook_files, ['up']);
  await writeFile(file, 'services: {}\n');
  assert.match((await world.run(['config', 'show', folder])).stdout, /\nNo services\.\n$/);
  await writeFile(file, 'version: "1.0"\nservices:\n  web: { prot: 3 }\n');
  const broken = await world.run(['config', 'validate', folder]);
  assert.equal(broken.exitCode, 1);
  assert.match(
    broken.stderr,
    /✖ \.nexus\/config\.yaml is not valid\n {2}\.nexus\/config\.yaml:3:10: services\.web\.prot: is not a known key; did you mean port\?\n {2}→ nexus config schema\n/,
  );
  const asJson = await world.run(['config', 'validate', folder, '--json']);
  assert.equal(asJson.exitCode, 1);
  assert.deepEqual(JSON.parse(asJson.stdout), {
    file: '.nexus/config.yaml',
    valid: false,
    problems: [{ path: 'services.web.prot', problem: 'is not a known key; did you mean port?', line: 3, column: 10 }],
  });
  const nowhere = await world.run(['config', 'validate', 'nowhere']);
  assert.equal(nowhere.exitCode, 5);
  assert.match(
    nowhere.stderr,
    /^✖ Could not read the repository\n {2}There is no folder .*\n {2}→ nexus config --help\n$/,
  );
  assert.equal((await world.run(['config', 'show', 'nowhere'])).exitCode, 5);
  const schema = JSON.parse((await world.run(['config', 'schema'])).stdout) as { title: string };
  assert.equal(schema.title, 'Nexus repository configuration');
  assert.equal(await readFile(file, 'utf8'), 'version: "1.0"\nservices:\n  web: { prot: 3 }\n');
});

type Findings = { name: string; status: string; detail: string; fix: string | null }[];

async function findings(
  world: CliWorld,
  options: Parameters<CliWorld['run']>[1] = {},
): Promise<{ exitCode: number; of: (name: string) => Findings[number] | undefined }> {
  const { exitCode, stdout } = await world.run(['doctor', '--json'], options);
  const all = JSON.parse(stdout) as Findings;
  return { exitCode, of: (name) => all.find((finding) => finding.name === name) };
}

test('the doctor finds nothing wrong where nothing is', async () => {
  await using world = await createCliWorld();
  await world.api.addNode('node-1');
  await world.run(['ssh', 'setup']);
  await world.run(['ssh', 'config']);
  const { exitCode, stdout } = await world.run(['doctor']);
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /^✔ registered SSH key +.*id_ed25519 \(SHA256:.*\)$/m);
  assert.match(stdout, /\nNothing is broken\.\n$/);
});

test('the doctor has a fix for each finding', async () => {
  await using world = await createCliWorld();
  await chmod(join(world.home, '.ssh'), 0o777);
  const first = await findings(world);
  assert.equal(first.exitCode, 1);
  assert.equal(first.of('SSH folder')?.fix, `chmod 700 ${join(world.home, '.ssh')}`);
  assert.equal(first.of('ssh nexus-NAME')?.status, 'warning');
  assert.equal(first.of('nodes')?.fix, 'nexus node token node-1');
  assert.equal(first.of('registered SSH key')?.fix, 'nexus ssh setup');
  assert.equal(first.of('version')?.status, 'warning');

  await world.run(['ssh', 'setup']);
  await world.run(['ssh', 'setup', '--generate', '--key-path', '~/other', '--yes']);
  await world.api.addNode('node-1');
  world.api.clock.now = new Date(world.api.clock.now.getTime() + 3_600_000);
  world.api.peers.nodeConnected = () => false;
  world.api.peers.gateway = () => ({ connected: false, version: null });
  const other = await findings(world, { env: { NEXUS_SSH_KEY_PATH: '~/.ssh/id_ed25519' } });
  assert.match(other.of('registered SSH key')?.detail ?? '', /is another key than the registered SHA256:/);
  assert.equal(other.of('node node-1')?.status, 'broken');
  assert.match(other.of('gateway')?.fix ?? '', /^sudo tail -n 20 \/.*\/logs\/gateway\.log$/);
  await rm(join(world.home, '.ssh'), { recursive: true });
  await writeFile(join(world.home, '.nexus/config.yaml'), '');
  const gone = await findings(world);
  assert.match(gone.of('registered SSH key')?.detail ?? '', /its private half is not on this machine/);
});

test('the doctor sees an SSH folder that cannot be written to', async () => {
  await using world = await createCliWorld();
  const folder = join(world.home, '.ssh');
  await rm(folder, { recursive: true });
  // Of the kernel: not even root may write there.
  await symlink('/proc/self', folder);
  const { of } = await findings(world);
  assert.equal(of('SSH folder')?.detail, `${folder} cannot be written to`);
});

test('the doctor says what keeps it from asking the server', async () => {
  await using world = await createCliWorld();
  const stranger = await findings(world, { env: { NEXUS_TOKEN: 'x' } });
  assert.deepEqual([stranger.exitCode, stranger.of('sign-in')?.status], [1, 'broken']);
  const away = await world.run(['doctor'], { env: { NEXUS_SERVER: '127.0.0.1:2' } });
  assert.match(away.stdout, /^✖ server .*cannot be reached.*\n +→ nexus server start$/m);
  assert.match(away.stdout, /\n1 thing to put right\.\n$/);
  const user = await findings(world, { env: { NEXUS_TOKEN: 'token-bob' } });
  assert.equal(user.of('gateway'), undefined);
});

test('on a node the doctor looks at the machine', { skip: notRoot }, async () => {
  await using world = await createCliWorld();
  const dataDir = join(world.home, 'data');
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'server.json'), JSON.stringify({ url: world.api.baseUrl, pid: 1 }));
  const checkNode = (): Promise<NodeFinding[]> =>
    Promise.resolve([
      { name: 'storage', ok: true, detail: '10 GiB', fix: null },
      { name: 'kernel limits', ok: false, detail: 'too low', fix: 'sudo nexus node setup' },
    ]);
  const node = await findings(world, { env: { NEXUS_DATA_DIR: dataDir }, roles: { checkNode } });
  assert.equal(node.of('storage')?.status, 'ok');
  assert.deepEqual(node.of('kernel limits'), {
    name: 'kernel limits',
    status: 'broken',
    detail: 'too low',
    fix: 'sudo nexus node setup',
  });
});
