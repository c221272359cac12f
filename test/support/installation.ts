/**
 * A whole Nexus of its own for a test or a benchmark: a real server with its gateway and agent, a data folder, ports
 * and a home of its own. Disposing of it removes its workspaces from the engine, ends its processes and deletes its
 * folders, also when the test failed.
 */
import { execa } from 'execa';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type CommandResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly input?: string;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Beside that of the installation. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Installation = {
  readonly url: string;
  readonly dataDir: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: { readonly ssh: number; readonly services: number };
  token(): Promise<string>;
  /** Runs `nexus` with this installation's home, server and token. Never throws for an exit code. */
  nexus(args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** The same for any other command, e.g. ssh with the written configuration. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  pid(role: 'server' | 'gateway' | 'agent'): Promise<number>;
  /** @throws ServerEnded */
  startServer(): Promise<void>;
  /** kill -9 of all of them at once, when all of them run; and waits until they are gone. */
  kill(...roles: ('server' | 'gateway' | 'agent')[]): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function createInstallation(options: {
  readonly program: readonly string[];
  /** Merged into the configuration file of the server. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** 20 at most. */
  readonly sshPorts?: number;
  /** For the server and for everything that is run. */
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Installation> {
  const root = await mkdtemp(join(tmpdir(), 'nexus-test-'));
  const dataDir = join(root, 'data');
  const home = join(root, 'home');
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const first = await freePortBlock();
  const ports = { ssh: first, services: first + 20 };
  const configFile = join(root, 'server.json');
  await writeFile(
    configFile,
    JSON.stringify({
      data_dir: dataDir,
      listen: { host: '127.0.0.1', port: first + 60 },
      gateway: { host: '127.0.0.1' },
      ports: {
        ssh: `${ports.ssh}-${ports.ssh + (options.sshPorts ?? 20) - 1}`,
        services: `${ports.services}-${ports.services + 39}`,
      },
      limits: { requests_per_minute: 100_000, memory: '2GB' },
      ...options.config,
    }),
  );
  const url = `http://127.0.0.1:${first + 60}`;
  const env: Record<string, string> = {
    ...(process.env as Record<string, string>),
    HOME: home,
    NEXUS_HOME: join(home, '.nexus'),
    NEXUS_SERVER: url,
    NEXUS_DATA_DIR: dataDir,
    NO_COLOR: '1',
    ...options.env,
  };
  const [command = '', ...prefix] = options.program;

  async function run(file: string, args: readonly string[], o: RunOptions = {}): Promise<CommandResult> {
    const result = await execa(file, args, {
      env: { ...env, ...o.env },
      extendEnv: false,
      reject: false,
      timeout: o.timeoutMs ?? 180_000,
      ...(o.input === undefined ? { stdin: 'ignore' as const } : { input: o.input }),
      ...(o.cwd === undefined ? {} : { cwd: o.cwd }),
    });
    return { exitCode: result.exitCode ?? 1, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
  }

  const installation: Installation = {
    url,
    dataDir,
    home,
    env,
    ports,
    run,
    token: async () => (await readFile(join(dataDir, 'local-token'), 'utf8')).trim(),
    nexus: (args, o) => run(command, [...prefix, ...args], o),
    pid: async (role) => {
      const file = { server: 'server.json', gateway: 'gateway/gateway.json', agent: 'agent/agent.json' }[role];
      return (JSON.parse(await readFile(join(dataDir, file), 'utf8')) as { pid: number }).pid;
    },
    async startServer() {
      const log = openSync(join(root, 'server.log'), 'a', 0o600);
      const child = spawn(command, [...prefix, 'server', 'start', '--config', configFile], {
        env,
        stdio: ['ignore', log, log],
        detached: true,
      });
      closeSync(log);
      child.unref();
      const gone = new AbortController();
      const ends = once(child, 'exit').then(([code, signal]) => {
        gone.abort();
        throw new ServerEnded(`the server ended (${signal ?? code}); its log is ${join(root, 'server.log')}`, signal);
      });
      const answers = async (): Promise<void> => {
        await until(async () => gone.signal.aborted || (await fetch(`${url}/health`)).ok, 'the server to answer');
        // By which it is ended.
        const isNoted = async (): Promise<boolean> => (await installation.pid('server')) === child.pid;
        await until(async () => gone.signal.aborted || (await isNoted()), 'the server to note its process');
      };
      await Promise.race([answers(), ends]);
    },
    async kill(...roles) {
      // One that was started again a moment ago may not have written its id yet.
      for (const role of roles) await until(async () => isAlive(await installation.pid(role)), `${role} to run`);
      const pids = await Promise.all(roles.map((role) => installation.pid(role)));
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await until(() => Promise.resolve(!pids.some(isAlive)), `${roles.join(' and ')} to be gone`);
    },
    async [Symbol.asyncDispose]() {
      await removeWorkspaces(installation).catch(() => undefined);
      await removeInstances(dataDir);
      for (const role of ['server', 'agent', 'gateway'] as const) {
        const pid = await installation.pid(role).catch(() => null);
        if (pid !== null) await end(pid);
      }
      await rm(root, { recursive: true, force: true });
    },
  };
  return installation;
}

/** Before it answered. */
export class ServerEnded extends Error {
  readonly signal: string | null;
  constructor(message: string, signal: string | null) {
    super(message);
    this.signal = signal;
  }
}

/** Polls something outside of this process, where there is no event to wait for. */
export async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await delay(50);
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function end(pid: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    const gone = until(() => Promise.resolve(!isAlive(pid)), `process ${pid} to end`, 12_000);
    if (
      await gone.then(
        () => true,
        () => false,
      )
    )
      return;
  }
}

async function removeWorkspaces(installation: Installation): Promise<void> {
  const { workspaces } = await api<{ workspaces: { workspace_id: string }[] }>(
    installation,
    'GET',
    '/workspaces?limit=200',
  );
  await Promise.all(
    workspaces.map((w) =>
      api(installation, 'DELETE', `/workspaces/${w.workspace_id}?force=true`).catch(() => undefined),
    ),
  );
}

/** What a broken server could not remove itself: the instances of the cluster whose agent has its folder in there. */
export async function removeInstances(dataDir: string): Promise<void> {
  const cluster = await readFile(join(dataDir, 'agent/cluster-id'), 'utf8').catch(() => null);
  if (cluster === null) return;
  const filter = `user.nexus.cluster=${cluster.trim()}`;
  const { stdout } = await execa('lxc', ['list', '--project', 'nexus', '--format', 'csv', '--columns', 'n', filter], {
    reject: false,
  });
  for (const name of stdout.split('\n').filter(Boolean))
    await execa('lxc', ['delete', '--force', '--project', 'nexus', name], { reject: false });
}

/** A request to the API with the installation's token; throws with the body on an error status. */
export async function api<T>(installation: Installation, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${installation.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await installation.token()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The first of 64 neighbouring ports below the ephemeral range, of which a few were tried. */
async function freePortBlock(): Promise<number> {
  for (;;) {
    const first = 10_000 + 64 * Math.floor(Math.random() * 200);
    const free = await Promise.all([0, 20, 60].map((offset) => isFree(first + offset)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
