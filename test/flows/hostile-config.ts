/** A repository's configuration that is made to harm: each who reads it refuses it soon, and nobody else waits. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';

type HostileFile = {
  readonly what: string;
  /** Prints the file, in a shell: it is made where it is read. */
  readonly script: string;
  readonly message: RegExp;
};

const files: readonly HostileFile[] = [
  {
    what: 'a million keys',
    script: "seq -f 'k%.0f: 1' 1000000",
    message: /\.nexus\/config\.yaml:1:1: \(file\): is larger than 256 KiB/,
  },
  {
    what: 'aliases that explode',
    script:
      'echo \'a0: &a0 [x, x]\'; for i in $(seq 1 20); do p=$((i - 1)); echo "a$i: &a$i [*a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p, *a$p]"; done',
    message: /\.nexus\/config\.yaml:1:1: YAML: Excessive alias count/,
  },
  {
    what: '10 MB',
    script: "head -c 10485760 /dev/zero | tr '\\0' a",
    message: /\.nexus\/config\.yaml:1:1: \(file\): is larger than 256 KiB/,
  },
];

const place = '.nexus/config.yaml';

/** No one else may notice; what a machine under load needs for itself is far less. */
const healthWithinMs = 2_000;

export function hostileConfigs(program: readonly string[]): void {
  test('a configuration made to harm is refused by the CLI, the server and the node, and the API answers meanwhile', async (t) => {
    await using nexus = await createInstallation({ program });
    const folder = await writeRepository(nexus);
    await nexus.startServer();
    await refusedByCli(nexus, folder);
    await refusedAsServerConfig(nexus, folder, program);
    const slowestMs = await refusedByNode(nexus, folder);
    t.diagnostic(`slowest GET /health meanwhile: ${Math.round(slowestMs)} ms`);
    assert.ok(slowestMs < healthWithinMs, `GET /health took ${slowestMs} ms`);
  });
}

async function writeRepository(nexus: Installation): Promise<string> {
  const folder = join(nexus.home, 'shop');
  await mkdir(join(folder, '.nexus'), { recursive: true });
  await writeFile(join(folder, place), 'services: {}\n');
  const git = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  const script = `git init -q . && git add . && git ${git.join(' ')} commit -qm first`;
  assert.equal((await nexus.run('sh', ['-c', script], { cwd: folder })).exitCode, 0);
  return folder;
}

async function make(nexus: Installation, folder: string, script: string): Promise<void> {
  const { exitCode, stderr } = await nexus.run('bash', ['-c', `{ ${script}; } > ${place}`], { cwd: folder });
  assert.equal(exitCode, 0, stderr);
}

async function refusedByCli(nexus: Installation, folder: string): Promise<void> {
  for (const { what, script, message } of files) {
    await make(nexus, folder, script);
    const validated = await nexus.nexus(['config', 'validate', folder]);
    assert.equal(validated.exitCode, 1, what);
    assert.match(validated.stderr, message, what);
  }
  await make(nexus, folder, "echo 'services: {}'");
}

async function refusedAsServerConfig(nexus: Installation, folder: string, program: readonly string[]): Promise<void> {
  const [command = '', ...args] = program;
  for (const { what, script } of files) {
    await make(nexus, folder, script);
    const started = await nexus.run(command, [...args, 'server', 'start', '--config', join(folder, place)]);
    assert.equal(started.exitCode, 1, what);
    assert.match(started.stderr, /larger than 256 KiB|Excessive alias count/, what);
  }
  await make(nexus, folder, "echo 'services: {}'");
}

/** Returns how long the API took to answer at most, while the node read one of the files. */
async function refusedByNode(nexus: Installation, folder: string): Promise<number> {
  const created = await nexus.nexus(['workspace', 'create', folder, '--name', 'shop']);
  assert.equal(created.exitCode, 0, created.stderr);
  const { workspaces } = await api<{ workspaces: { workspace_id: string }[] }>(nexus, 'GET', '/workspaces');
  const at = `/workspaces/${workspaces[0]?.workspace_id}`;
  const restart = async (status: WorkspaceView['status']): Promise<WorkspaceView> => {
    await api(nexus, 'POST', `${at}/stop`, { force: true });
    await api(nexus, 'POST', `${at}/start`);
    await until(
      async () => (await api<WorkspaceView>(nexus, 'GET', at)).status === status,
      `the workspace to be ${status}`,
    );
    return api<WorkspaceView>(nexus, 'GET', at);
  };
  let slowestMs = 0;
  for (const { what, script, message } of files) {
    const written = await api<{ exit_code: number }>(nexus, 'POST', `${at}/exec`, {
      command: ['bash', '-c', `{ ${script}; } > ${place}`],
    });
    assert.equal(written.exit_code, 0, what);
    const watched = watchHealth(nexus.url);
    const { error } = await restart('error').finally(() => watched.end());
    slowestMs = Math.max(slowestMs, await watched.slowestMs);
    assert.equal(error?.error, 'config_invalid', what);
    assert.match(error.message, message, what);
    // The instance runs, so that its owner can mend the file.
    const mended = await api<{ exit_code: number }>(nexus, 'POST', `${at}/exec`, {
      command: ['bash', '-c', `echo 'services: {}' > ${place}`],
    });
    assert.equal(mended.exit_code, 0, what);
  }
  await restart('running');
  return slowestMs;
}

function watchHealth(url: string): { end(): void; readonly slowestMs: Promise<number> } {
  const ended = new AbortController();
  const watch = async (): Promise<number> => {
    let slowestMs = 0;
    while (!ended.signal.aborted) {
      const start = performance.now();
      await (await fetch(`${url}/health`)).text();
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await delay(10);
    }
    return slowestMs;
  };
  return { end: () => ended.abort(), slowestMs: watch() };
}
