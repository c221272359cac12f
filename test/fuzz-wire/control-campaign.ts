/** Scripts against the control endpoint of a real server process, while an honest node works and somebody asks for health. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { loadIdentity } from '../../src/lib/identity.ts';
import type { Footprint, ServerUnderTest } from '../fuzz/server-under-test.ts';
import { scripts, type Script } from './control-scripts.ts';
import { floods } from './control-floods.ts';
import { play, shakeHands, type Attacker } from './hostile-peer.ts';

export type WireReport = {
  readonly seed: number;
  readonly connections: number;
  readonly problems: readonly string[];
  readonly before: Footprint;
  readonly highestRssBytes: number;
  readonly after: Footprint;
  /** The longest that `GET /health`, asked all the while, took to answer; by what was going on. */
  readonly slowestHealthMs: Readonly<Record<string, number>>;
  /** Lines of the log at this level and above: what a hostile peer can cause at will. */
  readonly warnings: number;
};

export type WireOptions = {
  readonly server: ServerUnderTest;
  readonly seed: number;
  readonly connections: number;
  /** Bytes that each flood sends, if it can. */
  readonly floodBytes: number;
};

const atOnce = 24;
/** The handshake's own deadline, and what a machine under load takes. */
const endsWithinMs = 20_000;
const nodes = ['mallory', 'trudy'];

export async function attackControl({ server, seed, connections, floodBytes }: WireOptions): Promise<WireReport> {
  await using node = await server.addScriptedNode();
  const victim = await createVictim(server);
  await using attackers = await joinAttackers(server, victim.id);
  const before = await server.footprint();
  const watch = watchServer(server);
  const problems: string[] = [];
  const playlist = fc.sample(scripts, { seed, numRuns: connections }).entries();
  const work = async (attacker: Attacker): Promise<void> => {
    for (const [index, script] of playlist) {
      const problem = await judged(attacker, script);
      if (problem !== null) problems.push(`connection ${index}: ${problem}`);
    }
  };
  const all = attackers.list;
  await Promise.all(Array.from({ length: atOnce }, (_, at) => work(all[at % all.length] as Attacker)));
  for (const [name, flood] of Object.entries(floods)) {
    const [attacker] = all;
    if (!attacker) break;
    watch.phase(name);
    const problem = await withinTime(flood(attacker, floodBytes), `flood ${name}`);
    if (problem !== null) problems.push(problem);
  }
  const { slowestHealthMs, highestRssBytes, lost } = await watch.end();
  problems.push(...lost, ...(await victim.differences()));
  if (!node.isConnected()) problems.push('the honest node lost its connection');
  await delay(restMs);
  const warnings = (await server.logLinesWith(['"level":"warn"', '"level":"error"'])).length;
  const after = await server.footprint();
  return { seed, connections, problems, before, after, highestRssBytes, slowestHealthMs, warnings };
}

const restMs = 3_000;

async function judged(attacker: Attacker, script: Script): Promise<string | null> {
  return withinTime(
    play(attacker, script).catch((error: Error & { code?: string }) => {
      // Two of one name take each other's place; that is the way of it.
      if (!/not let in|no challenge|not upgraded|ECONNRESET|EPIPE/.test(String(error))) throw error;
    }),
    `${script.stage}, ${script.steps.map((step) => step.do).join(' ')}`,
  );
}

async function withinTime(work: Promise<void>, what: string): Promise<string | null> {
  const late = new AbortController();
  const timer = delay(endsWithinMs, `${what}: the connection was not ended`, { signal: late.signal });
  const outcome = await Promise.race([
    work.then(
      () => null,
      (error: unknown) => `${what}: ${String(error)}`,
    ),
    timer,
  ]);
  late.abort();
  timer.catch(() => undefined);
  return outcome;
}

async function api<T>({ url, token }: ServerUnderTest, method: string, path: string, body?: object): Promise<T> {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** A workspace of somebody on the honest node: nothing of it may change by what another node says. */
async function createVictim(server: ServerUnderTest) {
  const request = { workspace_name: 'victim', repo: { owner: 'acme', name: 'shop' } };
  const { workspace_id: id } = await api<{ workspace_id: string }>(server, 'POST', '/workspaces', request);
  const show = async () => {
    const { updated_at: _, ...view } = await api<Record<string, unknown>>(server, 'GET', `/workspaces/${id}`);
    return view;
  };
  while ((await show())['status'] !== 'running') await delay(50);
  const before = JSON.stringify(await show());
  return {
    id,
    async differences() {
      const now = JSON.stringify(await show());
      return now === before ? [] : [`another node's workspace is ${now}, was ${before}`];
    },
  };
}

async function joinAttackers(server: ServerUnderTest, workspaceId: string) {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-hostile-'));
  const list: Attacker[] = [];
  for (const name of nodes) {
    const identity = await loadIdentity(join(folder, `${name}.pem`));
    const attacker: Attacker = { port: server.port, identity, name, role: 'agent', workspaceId };
    const { join_token: joinToken } = await api<{ join_token: string }>(server, 'POST', '/nodes', { name });
    (await shakeHands({ ...attacker, joinToken }, 'joined')).destroy();
    list.push(attacker);
  }
  return { list, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Asks for health, and for the size of the process, until it is told to end. */
function watchServer(server: ServerUnderTest) {
  const slowestHealthMs: Record<string, number> = {};
  let phase = 'scripts';
  let highestRssBytes = 0;
  const lost: string[] = [];
  const asking = spawn(process.execPath, [join(import.meta.dirname, 'health-process.ts'), server.url], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(asking, 'exit');
  asking.once('exit', (code) => code !== null && lost.push('the server did not answer any more'));
  createInterface({ input: asking.stdout }).on('line', (line) => {
    slowestHealthMs[phase] = Math.max(slowestHealthMs[phase] ?? 0, Number(line));
  });
  const measure = async (): Promise<void> => {
    highestRssBytes = Math.max(highestRssBytes, (await server.footprint()).rssBytes);
  };
  const sizes = setInterval(() => void measure().catch(() => lost.push('the server has ended')), measureEveryMs);
  return {
    phase(name: string): void {
      phase = name;
    },
    async end() {
      clearInterval(sizes);
      asking.kill('SIGKILL');
      await ended;
      return { slowestHealthMs, highestRssBytes, lost };
    },
  };
}

const measureEveryMs = 50;
