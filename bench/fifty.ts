/** Fifty idle workspaces, ten of them with a service: what server, gateway and agent take beside them. */
import { freemem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../test/support/installation.ts';
import { engine } from './bare-engine.ts';
import { instanceName } from './bare-workspace.ts';
import type { Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { cpuSeconds, memoryMiB, processesNamed, withDescendants } from './process-usage.ts';
import { emptyBundle } from '../test/support/empty-bundle.ts';
import { createWorkspace, deleteAll, untilRunning } from './workspaces.ts';

const count = 50;
const atOnce = 10;
const withService = 10;
const settleMs = 60_000;
const watchedSeconds = 60;
const mostMiB = 600;
const mostPercent = 5;
const roles = ['server', 'gateway', 'agent'] as const;

const config = {
  ports: { ssh: '24000-24099', services: '24100-24199' },
  limits: { workspaces_per_user: count, requests_per_minute: 100_000, memory: '2GB' },
};
const web = {
  name: 'web',
  port: 3000,
  command: `exec node -e 'require("http").createServer((_, r) => r.end("ok")).listen(3000, "0.0.0.0")'`,
};

export function benchFifty(): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const free = freemem();
    const instances = await createAll(nexus);
    await delay(settleMs);
    const pids = await Promise.all(roles.map((role) => nexus.pid(role)));
    const usage = await watch(pids, instances);
    const taken = (free - freemem()) / 2 ** 30;
    console.error(`fifty: ${usage.text}; the machine has ${taken.toFixed(1)} GiB less free than before`);
    await deleteAll(nexus);
    return [
      {
        what: `memory of server, gateway and agent with ${count} idle workspaces`,
        ours: `RSS ${usage.rss.toFixed(0)} MiB, PSS ${usage.pss.toFixed(0)} MiB`,
        theirs: '',
        compared: `${usage.rss.toFixed(0)} MiB`,
        bound: `< ${mostMiB} MiB`,
        isWithin: usage.rss < mostMiB,
      },
      {
        what: 'processor time of the three | of the engine | of what runs in the workspaces',
        ours: `${usage.percent.toFixed(1)} % of a core`,
        theirs: `${usage.enginePercent.toFixed(1)} % | ${usage.workspacesPercent.toFixed(1)} %`,
        compared: `${usage.percent.toFixed(1)} %`,
        bound: `< ${mostPercent} % of a core`,
        isWithin: usage.percent < mostPercent,
      },
    ];
  }, config);
}

/** Returns the engine's names of them. */
async function createAll(nexus: Installation): Promise<string[]> {
  const bundle = await emptyBundle(nexus);
  const instances: string[] = [];
  for (let first = 0; first < count; first += atOnce) {
    const batch = Array.from({ length: atOnce }, (_, index) => first + index);
    const created = await Promise.all(
      batch.map((index) => createWorkspace(nexus, bundle, `idle-${index}`, index < withService ? [web] : [])),
    );
    instances.push(...created.map(({ workspace_id }) => instanceName(workspace_id)));
    await untilRunning(nexus, instances.length);
  }
  return instances;
}

type Usage = {
  /** MiB. */
  readonly rss: number;
  readonly pss: number;
  /** Of a core. */
  readonly percent: number;
  readonly enginePercent: number;
  readonly workspacesPercent: number;
  /** For each role, for people. */
  readonly text: string;
};

async function watch(pids: readonly number[], instances: readonly string[]): Promise<Usage> {
  // Not the engine's helpers: one for each command inside comes and goes.
  const enginePids = processesNamed('lxd', 'incusd');
  const read = (): number[] => [
    ...pids.map((pid) => sum(withDescendants(pid, pids).map(cpuSeconds))),
    sum(enginePids.map(cpuSeconds)),
  ];
  const workspacesBefore = await workspaceSeconds(instances);
  const [before, startedAt] = [read(), performance.now()];
  await delay(watchedSeconds * 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const percents = read().map((now, index) => (100 * (now - (before[index] ?? 0))) / seconds);
  const workspaces = (await workspaceSeconds(instances)) - workspacesBefore;
  const memory = pids.map((pid) => {
    const all = withDescendants(pid, pids).map(memoryMiB);
    return { rss: sum(all.map(({ rss }) => rss)), pss: sum(all.map(({ pss }) => pss)) };
  });
  const each = roles.map((role, index) => {
    const { rss = 0, pss = 0 } = memory[index] ?? {};
    return `${role} ${rss.toFixed(0)} MiB RSS, ${pss.toFixed(0)} PSS, ${(percents[index] ?? 0).toFixed(1)} %`;
  });
  return {
    rss: sum(memory.map(({ rss }) => rss)),
    pss: sum(memory.map(({ pss }) => pss)),
    percent: sum(percents.slice(0, -1)),
    enginePercent: percents.at(-1) ?? Number.NaN,
    workspacesPercent: (100 * workspaces) / seconds,
    text: each.join('; '),
  };
}

/** Processor time of all that runs in the instances. */
async function workspaceSeconds(instances: readonly string[]): Promise<number> {
  const states = await Promise.all(instances.map((name) => engine('GET', `/1.0/instances/${name}/state`)));
  return sum((states as { cpu: { usage: number } }[]).map(({ cpu }) => cpu.usage / 1e9));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
