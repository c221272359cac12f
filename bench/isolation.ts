/**
 * What one workspace that takes all it can get costs another and the API: the other's service through the gateway, and
 * reads of the API, beside the same in quiet.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { hogs, startHog, stopHog } from '../test/support/isolation/hogs.ts';
import { until } from '../test/support/installation.ts';
import { createTwoWorkspaces, type Cell, type TwoWorkspaces } from '../test/support/isolation/two-workspaces.ts';
import { compiledProgram } from '../test/support/programs.ts';
import { milliseconds, type Figure } from './figure.ts';
import { openLoop } from './open-loop.ts';
import { quantile, summarize } from './statistics.ts';

const mostTimes = 2;
const mostP99Ms = 20;
const settleMs = 3000;
const limits = { requests_per_minute: 1_000_000, memory: '2GB', disk: '4GB' };

type Times = { readonly service: readonly number[]; readonly api: readonly number[]; readonly failures: number };

export async function benchIsolation({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  await using world = await createTwoWorkspaces({ program: compiledProgram, config: { limits } });
  await measure(world, 2);
  const figures: Figure[] = [];
  for (const name of ['memory', 'processors', 'disk'] as const) {
    const quiet = await measure(world, runs);
    await startHog(world.attacker, `while :; do (${hogs[name]}); rm -rf /home/dev/hog; done`);
    await delay(settleMs);
    figures.push(...compare(name, await measure(world, runs), quiet));
    await stopHog(world.attacker);
  }
  figures.push(...(await million(world, runs)));
  const quiet = await measure(world, runs);
  const sockets = openConnections(world.attacker, 1000);
  await delay(settleMs);
  figures.push(...compare('a thousand connections', await measure(world, runs), quiet));
  for (const socket of sockets) socket.destroy();
  // The last: there is no process left to end it with, but for the engine's own.
  const again = await measure(world, runs);
  await startHog(world.attacker, hogs.processes);
  // From its first process: it costs most while it grows.
  figures.push(...compare('processes', await measure(world, runs), again));
  return figures;
}

/** A million files of 100 bytes: while they are made, and when they are there. */
async function million(world: TwoWorkspaces, runs: number): Promise<Figure[]> {
  const quiet = await measure(world, runs);
  await startHog(world.attacker, hogs.files);
  await delay(settleMs);
  const meanwhile = await measure(world, runs);
  await until(
    async () => (await world.attacker.shell('test -e /home/dev/hog/999/999')).exitCode === 0,
    'a million',
    600_000,
  );
  const afterwards = await measure(world, runs);
  await stopHog(world.attacker);
  return [
    ...compare('a million files', meanwhile, quiet),
    ...compare('a million files that are there', afterwards, quiet),
  ];
}

async function measure({ nexus, victim }: TwoWorkspaces, seconds: number): Promise<Times> {
  const headers = { authorization: `Bearer ${await nexus.token()}` };
  let failures = 0;
  const get = async (url: string): Promise<void> => {
    const response = await fetch(url, { headers }).catch(() => null);
    await response?.arrayBuffer().catch(() => undefined);
    if (!response?.ok) failures += 1;
  };
  const [service, api] = await Promise.all([
    openLoop({ perSecond: 20, seconds }, () => get(victim.url)),
    openLoop({ perSecond: 50, seconds }, () => get(`${nexus.url}/api/v1/workspaces`)),
  ]);
  return { service, api, failures };
}

function compare(hog: string, busy: Times, quiet: Times): Figure[] {
  const times = summarize(busy.service).median / summarize(quiet.service).median;
  const p99 = quantile(busy.api, 0.99);
  const failed = busy.failures > 0 ? `, ${busy.failures} failed` : '';
  return [
    {
      what: `another's service beside a hog of ${hog} | in quiet`,
      ours: milliseconds(summarize(busy.service), 1),
      theirs: milliseconds(summarize(quiet.service), 1),
      compared: `${times.toFixed(2)} times${failed}`,
      bound: `≤ ${mostTimes} times`,
      isWithin: times <= mostTimes && busy.failures === 0,
    },
    {
      what: `reads of the API beside a hog of ${hog} | in quiet`,
      ours: milliseconds(summarize(busy.api), 1),
      theirs: milliseconds(summarize(quiet.api), 1),
      compared: `p99 ${p99.toFixed(1)} ms (${quantile(quiet.api, 0.99).toFixed(1)} ms)`,
      bound: `p99 < ${mostP99Ms} ms`,
      isWithin: p99 < mostP99Ms && busy.failures === 0,
    },
  ];
}

function openConnections({ url }: Cell, count: number): Socket[] {
  const { hostname, port } = new URL(url);
  return Array.from({ length: count }, () =>
    connect({ host: hostname, port: Number(port) }).on('error', () => undefined),
  );
}
