/** The server and the gateway on one machine, the workspaces on another: over TLS, with no port open on the node. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { execa } from 'execa';
import type { StreamTarget } from '../../src/contract/stream-client.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { noEngine } from '../support/agent-lab.ts';
import { engineInstances } from '../support/engine.ts';
import { isAlive, removeInstances, until } from '../support/installation.ts';
import { createOtherMachine, type OtherMachine } from '../support/other-machine.ts';
import { compiledProgram } from '../support/programs.ts';

const [nexus = ''] = compiledProgram;
const skip = noEngine || (process.getuid?.() !== 0 && 'needs root');

describe('workspaces on another machine than the server', { skip }, () => {
  const cleanup = new AsyncDisposableStack();
  let machine: OtherMachine;
  let folder: string;
  let dataDir: string;
  let env: Record<string, string>;
  let agent: ChildProcess;
  let workspace: WorkspaceView;

  const run = (file: string, args: readonly string[], input?: Buffer) =>
    execa(file, args, { env, extendEnv: false, encoding: 'buffer', ...(input ? { input } : { stdin: 'ignore' }) });
  async function nexusJson<T>(...args: string[]): Promise<T> {
    const { stdout } = await run(nexus, [...args, '--json']);
    return JSON.parse(Buffer.from(stdout).toString()) as T;
  }
  const pidOf = async (file: string): Promise<number> =>
    (JSON.parse(await readFile(join(dataDir, file), 'utf8')) as { pid: number }).pid;
  /** Where the agent was told to bring streams. */
  const streams = async (): Promise<StreamTarget> =>
    JSON.parse(await readFile(join(folder, 'agent/streams.json'), 'utf8')) as StreamTarget;

  before(async () => {
    machine = cleanup.use(await createOtherMachine());
    folder = await mkdtemp(join(tmpdir(), 'nexus-other-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    cleanup.defer(() => removeInstances(folder));
    dataDir = join(folder, 'data');
    const url = `https://${machine.address}:3001`;
    const tls = { cert: join(folder, 'server.pem'), key: join(folder, 'server.key') };
    const subject = ['-subj', '/CN=nexus test', '-addext', `subjectAltName=IP:${machine.address}`];
    const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await execa('openssl', [...newKey, '-keyout', tls.key, '-out', tls.cert, ...subject]);
    const config = {
      data_dir: dataDir,
      listen: { host: machine.address, port: 3001 },
      tls,
      public_host: machine.address,
      gateway: { stream_host: '0.0.0.0' },
      node: { embedded: false },
      ports: { ssh: '2222-2231', services: '23000-23009' },
    };
    await writeFile(join(folder, 'server.yaml'), JSON.stringify(config));
    const home = join(folder, 'home');
    await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
    env = {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      NEXUS_HOME: join(home, '.nexus'),
      NEXUS_SERVER: url,
      NODE_EXTRA_CA_CERTS: tls.cert,
      NO_COLOR: '1',
    };
    start([...machine.prefix, nexus, 'server', 'start', '--config', join(folder, 'server.yaml')], 'server.log');
    cleanup.defer(() => end('server.json', 'gateway/gateway.json'));
    await until(async () => (await pidOf('server.json')) > 0, 'the server to answer');
    env['NEXUS_TOKEN'] = (await readFile(join(dataDir, 'local-token'), 'utf8')).trim();
  });
  after(() => cleanup.disposeAsync());

  function start([file = '', ...args]: readonly string[], logName: string): ChildProcess {
    const log = openSync(join(folder, logName), 'a', 0o600);
    const child = spawn(file, args, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    return child;
  }

  async function end(...pidFiles: string[]): Promise<void> {
    for (const file of pidFiles) {
      const pid = await pidOf(file).catch(() => null);
      if (pid === null || !isAlive(pid)) continue;
      process.kill(pid, 'SIGTERM');
      await until(() => Promise.resolve(!isAlive(pid)), `the process of ${file} to end`);
    }
  }

  it('the node joins with its token, and is told the certificate of the gateway', async () => {
    const { join_token: token } = await nexusJson<{ join_token: string }>('node', 'token', 'node-2');
    const where = ['--server', env['NEXUS_SERVER'] ?? '', '--name', 'node-2', '--state-dir', join(folder, 'agent')];
    agent = start([nexus, 'agent', 'start', ...where, '--token', token], 'agent.log');
    cleanup.defer(async () => {
      agent.kill();
      if (agent.exitCode === null) await once(agent, 'exit');
    });
    await until(async () => (await streams()).certificate_sha256 !== undefined, 'the agent to know the gateway');
    const { host, port, certificate_sha256 } = await streams();
    assert.equal(host, machine.address);
    const shown = connectTls({ host, port, rejectUnauthorized: false });
    await once(shown, 'secureConnect');
    assert.equal(shown.getPeerCertificate().fingerprint256, certificate_sha256);
    shown.destroy();
    // Without TLS nothing is said, not even the greeting of the handshake.
    const plain = connectTcp({ host, port });
    plain.write('{"open":"node-2"}\n');
    plain.on('data', (chunk: Buffer) => assert.notEqual(chunk[0], '{'.charCodeAt(0)));
    plain.on('error', () => undefined);
    await once(plain, 'close');
  });

  it('a workspace is made there from a folder of the person, with its service', async () => {
    const repository = join(folder, 'far');
    await mkdir(join(repository, '.nexus'), { recursive: true });
    const web = { command: 'python3 -m http.server 8000 --bind 127.0.0.1', port: 8000, health_check: { type: 'tcp' } };
    await writeFile(join(repository, '.nexus/config.yaml'), JSON.stringify({ version: '1.0', services: { web } }));
    const git = (...args: string[]) =>
      run('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
    await git('init', '-q', '-b', 'main');
    await git('add', '--all');
    await git('commit', '-q', '-m', 'first');
    await run(nexus, ['ssh', 'setup', '--yes']);
    await run(nexus, ['workspace', 'create', repository]);
    workspace = await nexusJson<WorkspaceView>('workspace', 'show', 'far');
    assert.equal(workspace.node, 'node-2');
    assert.equal((await engineInstances(workspace.workspace_id)).length, 1);
    const page = await fetch(workspace.services['web']?.url ?? '');
    assert.match(await page.text(), /Directory listing/);
  });

  it('ssh, exec and logs lead there, and no byte is lost', async () => {
    const sent = randomBytes(20_000_000);
    const hash = createHash('sha256').update(sent).digest('hex');
    const config = ['-F', join(env['NEXUS_HOME'] ?? '', 'ssh/config')];
    await run(nexus, ['ssh', 'config']);
    const overPort = await run('ssh', [...config, 'nexus-far', 'tee copy | sha256sum'], sent);
    assert.ok(Buffer.from(overPort.stdout).toString().startsWith(hash));
    const back = await run(nexus, ['ssh', 'far', '--', 'cat', 'copy']);
    assert.equal(createHash('sha256').update(Buffer.from(back.stdout)).digest('hex'), hash);
    const executed = await run(nexus, ['workspace', 'exec', 'far', '--', 'hostname']);
    assert.equal(Buffer.from(executed.stdout).toString().trim(), 'far');
    const logs = await run(nexus, ['workspace', 'logs', 'far', 'web']);
    assert.match(Buffer.from(logs.stdout).toString(), /GET \//);
  });

  it('a gateway that is killed comes back with the same certificate, and is found again', async () => {
    const known = await streams();
    const killed = await pidOf('gateway/gateway.json');
    process.kill(killed, 'SIGKILL');
    await until(async () => (await pidOf('gateway/gateway.json')) !== killed, 'another gateway');
    await until(
      async () =>
        (await run('ssh', ['-F', join(env['NEXUS_HOME'] ?? '', 'ssh/config'), 'nexus-far', 'true'])).exitCode === 0,
      'the workspace to be reached again',
    );
    assert.equal((await streams()).certificate_sha256, known.certificate_sha256);
  });

  it('goes with its instance', async () => {
    await run(nexus, ['workspace', 'delete', 'far', '--yes']);
    assert.deepEqual(await engineInstances(workspace.workspace_id), []);
  });
});
