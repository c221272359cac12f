/** Two workspaces of one installation, each with a service: one that attacks, and one that must not notice. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { WorkspaceView } from '../../../src/contract/workspace.ts';
import { shellIn } from '../agent-lab.ts';
import { emptyBundle } from '../empty-bundle.ts';
import { api, createInstallation, until, type Installation } from '../installation.ts';
import { sourceProgram } from '../programs.ts';

const attacks = join(import.meta.dirname, 'attacks.py');

export type Cell = {
  readonly id: string;
  /** The engine's name of it. */
  readonly instance: string;
  readonly address: string;
  /** Its SSH port at the gateway. */
  readonly sshPort: number;
  /** Its service at the gateway. */
  readonly url: string;
  view(): Promise<WorkspaceView>;
  /** Root's shell in it. */
  shell(script: string): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** What `attacks.py` answers to it. */
  attack<T>(what: string, given: unknown): Promise<T>;
};

export type TwoWorkspaces = {
  readonly nexus: Installation;
  readonly attacker: Cell;
  readonly victim: Cell;
  [Symbol.asyncDispose](): Promise<void>;
};

export const servicePort = 8000;

export async function createTwoWorkspaces(
  options: { program?: readonly string[]; config?: Readonly<Record<string, unknown>> } = {},
): Promise<TwoWorkspaces> {
  const nexus = await createInstallation({ program: options.program ?? sourceProgram, config: options.config ?? {} });
  try {
    await nexus.startServer();
    const bundle = await emptyBundle(nexus);
    const ids = await Promise.all(['attacker', 'victim'].map((name) => requestWorkspace(nexus, name, bundle)));
    const [first = '', second = ''] = ids;
    const attacker = await cellOf(nexus, first);
    const victim = await cellOf(nexus, second);
    return { nexus, attacker, victim, [Symbol.asyncDispose]: () => nexus[Symbol.asyncDispose]() };
  } catch (thrown) {
    await nexus[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function requestWorkspace(nexus: Installation, name: string, bundle: Uint8Array<ArrayBuffer>): Promise<string> {
  const service = {
    name: 'web',
    command: `python3 -m http.server ${servicePort}`,
    cwd: '.git',
    port: servicePort,
    health_check: { type: 'http', path: '/HEAD' },
  };
  const created = await api<{ workspace_id: string }>(nexus, 'POST', '/workspaces', {
    workspace_name: name,
    repo: { owner: 'test', name, source: 'upload' },
    services: [service],
  });
  const response = await fetch(`${nexus.url}/api/v1/workspaces/${created.workspace_id}/source`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await nexus.token()}`, 'content-type': 'application/octet-stream' },
    body: bundle,
  });
  if (!response.ok) throw new Error(`the repository was not taken: ${response.status} ${await response.text()}`);
  return created.workspace_id;
}

/** As soon as it runs. */
async function cellOf(nexus: Installation, id: string): Promise<Cell> {
  const instance = `nexus-${id.slice('ws-'.length)}`;
  const view = (): Promise<WorkspaceView> => api<WorkspaceView>(nexus, 'GET', `/workspaces/${id}`);
  await until(async () => ['running', 'error'].includes((await view()).status), `${id} to run`, 300_000);
  const { status, ssh, services, ...rest } = await view();
  if (status !== 'running') throw new Error(`${id} failed: ${JSON.stringify(rest)}`);
  const url = services['web']?.url;
  if (!url || ssh.port === null) throw new Error(`${id} has no service or no SSH port`);
  const { stdout } = await lxc(['config', 'device', 'get', instance, 'eth0', 'ipv4.address']);
  return {
    id,
    instance,
    address: stdout.trim(),
    sshPort: ssh.port,
    url: `${url.replace('localhost', '127.0.0.1')}/HEAD`,
    view,
    shell: (script) => shellIn(id, script),
    async attack<T>(what: string, given: unknown): Promise<T> {
      const input = await readFile(attacks, 'utf8');
      const command = ['exec', instance, '--', 'python3', '-', what, JSON.stringify(given)];
      return JSON.parse((await lxc(command, input)).stdout) as T;
    },
  };
}

export function lxc(args: readonly string[], input?: string) {
  const options = input === undefined ? { stdin: 'ignore' as const } : { input };
  return execa('lxc', ['--project', 'nexus', ...args], { ...options, timeout: 120_000 });
}
