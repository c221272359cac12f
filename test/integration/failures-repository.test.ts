/** What a repository, a port pool and the host can have wrong, as its user sees it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { beginWorkspace, bundleOf, untilSettled } from '../support/create-workspace.ts';
import { createInstallation, isAlive, until, type Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { smallRepository } from '../support/small-repository.ts';

const config = '.nexus/config.yaml';
const brokenConfig = `version: "1.0"
services:
  web:
    comand: "sleep 60"
    port: many
`;
const circularConfig = `version: "1.0"
services:
  web: { command: "sleep 60", depends_on: [api] }
  api: { command: "sleep 60", depends_on: [web] }
`;
const lateConfig = `version: "1.0"
services:
  db: { command: "echo I am never ready; sleep 600", port: 5432, health_check: { type: tcp, interval: 1, retries: 1 } }
  web: { command: "sleep 600", port: 3000, depends_on: [db] }
`;
const servingConfig = `version: "1.0"
services:
  web: { command: "exec node server.js", port: 8000, health_check: { type: http, path: / } }
`;

const server = "require('node:http').createServer((_, answer) => answer.end('here')).listen(8000);\n";

describe('what can be wrong', () => {
  let nexus: Installation;

  before(async () => {
    nexus = await createInstallation({ program: sourceProgram, sshPorts: 2 });
    await nexus.startServer();
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
  });
  after(async () => {
    await nexus?.[Symbol.asyncDispose]();
  });

  async function shown(name: string): Promise<WorkspaceView> {
    return JSON.parse((await nexus.nexus(['workspace', 'show', name, '--json'])).stdout) as WorkspaceView;
  }

  it('a broken configuration is named with file, line, column and the right word, here and on the node', async () => {
    const folder = await smallRepository(nexus, { name: 'broken', files: { [config]: brokenConfig } });
    const here = await nexus.nexus(['workspace', 'create', folder]);
    const id = await beginWorkspace(nexus, 'there', await bundleOf(nexus, folder));
    const { status, error } = await untilSettled(nexus, id);
    assert.deepEqual([here.exitCode, status, error?.error], [1, 'error', 'config_invalid']);
    for (const said of [here.stderr, error?.message ?? '']) {
      assert.match(said, /config\.yaml:4:5: services\.web\.comand: is not a known key; did you mean command\?/);
      assert.match(said, /config\.yaml:5:11: services\.web\.port: must be .*, not "many"/);
    }
    assert.equal(error?.hint, 'nexus config validate');
    const validated = await nexus.nexus(['config', 'validate'], { cwd: folder });
    assert.equal(validated.exitCode, 1);
    assert.match(validated.stderr, /config\.yaml:4:5/, 'the next step that was named shows it again');
    assert.equal((await nexus.nexus(['workspace', 'delete', 'there', '--yes'])).exitCode, 0);
  });

  it('services that depend on each other in a circle are named, here and on the node', async () => {
    const folder = await smallRepository(nexus, { name: 'circle', files: { [config]: circularConfig } });
    const here = await nexus.nexus(['workspace', 'create', folder]);
    const id = await beginWorkspace(nexus, 'circle', await bundleOf(nexus, folder));
    const { error } = await untilSettled(nexus, id);
    for (const said of [here.stderr, error?.message ?? '']) assert.match(said, /(web → api → web|api → web → api)/);
    assert.equal(error?.hint, 'nexus config validate');
    assert.notEqual((await nexus.nexus(['config', 'validate'], { cwd: folder })).exitCode, 0);
    assert.equal((await nexus.nexus(['workspace', 'delete', 'circle', '--yes'])).exitCode, 0);
  });

  it('a service that never gets healthy is named with its log, and the workspace runs', async () => {
    const folder = await smallRepository(nexus, { name: 'late', files: { [config]: lateConfig } });
    const created = await nexus.nexus(['workspace', 'create', folder]);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.match(
      created.stderr,
      /^! Start db .*db is not healthy, and its 30 s to start are over: nothing listens on port 5432/m,
    );
    const view = await shown('late');
    assert.equal(view.status, 'running');
    const { db, web } = view.services;
    assert.deepEqual([db?.status, db?.error?.error], ['unhealthy', 'health_check_timeout']);
    assert.deepEqual([web?.status, web?.error?.error], ['error', 'dependency_failed']);
    const text = (await nexus.nexus(['workspace', 'services', 'late'])).stdout;
    assert.match(text, /→ nexus workspace logs late --service db/);
    const log = await nexus.nexus(['workspace', 'logs', 'late', '--service', 'db']);
    assert.match(log.stdout, /I am never ready/);
  });

  it('a port of the host that another process has is not given to a service', async () => {
    const { mapped_port: last = 0 } = (await shown('late')).services['web'] ?? {};
    const next = Number(last) + 1;
    const stranger = createServer().listen(next, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const files = { [config]: servingConfig, 'server.js': server };
      const folder = await smallRepository(nexus, { name: 'serving', files });
      const created = await nexus.nexus(['workspace', 'create', folder]);
      assert.equal(created.exitCode, 0, created.stderr);
      await until(async () => {
        const { url } = (await shown('serving')).services['web'] ?? {};
        return typeof url === 'string' && (await fetch(url)).ok;
      }, 'the service to answer at the address that is named');
      const view = await shown('serving');
      assert.equal(view.services['web']?.mapped_port, next + 1);
      assert.deepEqual(view.warnings, []);
      assert.equal(isAlive(await nexus.pid('gateway')), true);
    } finally {
      stranger.close();
    }
  });

  it('without an SSH port left a workspace is made all the same, and reached through the HTTP port', async () => {
    const folder = await smallRepository(nexus, { name: 'more' });
    const created = await nexus.nexus(['workspace', 'create', folder, '--name', 'more']);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.match(created.stdout, /^SSH +nexus ssh more$/m);
    assert.equal((await shown('more')).ssh.port, null);
    const inside = await nexus.nexus(['ssh', 'more', '--', 'echo', 'inside']);
    assert.equal(inside.stdout, 'inside', inside.stderr);
    const doctor = await nexus.nexus(['doctor']);
    assert.match(doctor.stdout, /! ports left +SSH 0 of 2, .*\n +→ nexus workspace list/);
  });
});
