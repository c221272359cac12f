/** A real server process without an engine behind it, its log in a file, and what the system says of the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, openSync, closeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../support/installation.ts';
import { ScriptedEngine, startScriptedAgent } from '../support/scripted-agent.ts';

export type Footprint = { readonly rssBytes: number; readonly handles: number };

export type ServerUnderTest = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  footprint(): Promise<Footprint>;
  /** The lines of the log that hold one of the texts. */
  logLinesWith(texts: readonly string[]): Promise<string[]>;
  /** A node with an engine of a few lines joins: workspaces run at once and cost nothing. */
  addScriptedNode(): Promise<AsyncDisposable & { isConnected(): boolean }>;
};

export async function startServer(program: readonly string[]): Promise<ServerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-fuzz-'));
  const dataDir = join(folder, 'data');
  const logFile = join(folder, 'log');
  const configFile = join(folder, 'server.json');
  const config = {
    data_dir: dataDir,
    listen: { port: 0 },
    gateway: { embedded: false },
    node: { embedded: false },
    limits: { requests_per_minute: 1_000_000_000, workspaces_per_user: 60 },
    log: { level: 'debug' },
  };
  await writeFile(configFile, JSON.stringify(config));
  const [command = '', ...args] = program;
  const log = openSync(logFile, 'a');
  const child = spawn(command, [...args, 'server', 'start', '--config', configFile], { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit');
  const { pid } = child;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(async () => (await fetch(`${await announcedUrl(dataDir)}/health`)).ok, 'the server to answer');
  } catch (error) {
    await stop();
    throw error;
  }
  const url = await announcedUrl(dataDir);
  const token = (await readFile(join(dataDir, 'local-token'), 'utf8')).trim();
  return {
    url,
    port: Number(new URL(url).port),
    token,
    async footprint() {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
      return { rssBytes: kilobytes * 1024, handles: (await readdir(`/proc/${pid}/fd`)).length };
    },
    async logLinesWith(texts) {
      const found: string[] = [];
      for await (const line of createInterface({ input: createReadStream(logFile) })) {
        if (texts.some((text) => line.includes(text))) found.push(line);
      }
      return found;
    },
    async addScriptedNode() {
      const engine = new ScriptedEngine();
      const response = await fetch(`${url}/api/v1/nodes`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'node-1' }),
      });
      const { join_token: joinToken } = (await response.json()) as { join_token: string };
      const agent = await startScriptedAgent({ url, engine, joinToken });
      return {
        isConnected: () => agent.client.connected,
        [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function announcedUrl(dataDir: string): Promise<string> {
  return (JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as { url: string }).url;
}
