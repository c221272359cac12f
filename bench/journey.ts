/**
 * The whole journey of `nexus up` from an empty home: sign-in, key, fork, workspace of the example of three services,
 * clone, SSH, editor. What Nexus itself adds is what is left without the repository's transfer, its dependencies and its services.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createClient } from '../src/contract/api-client.ts';
import type { Client } from '../src/contract/api-client.ts';
import type { WorkspaceEvent, WorkspaceView } from '../src/contract/workspace.ts';
import type { Files } from '../test/support/fake-github/bare-repository.ts';
import { createJourneyWorld, type JourneyWorld } from '../test/support/journey-world.ts';
import { repositoryRoot } from '../test/support/programs.ts';
import { range, type Figure } from './figure.ts';
import { summarize, timed } from './statistics.ts';

const mostOwnMs = 3_000;

/** Steps that take as long as the repository, its packages and its services do. */
const others = /^(?:waiting_for_source|cloning|preparing_base|installing|running_hook|starting_service)\b/;

type Part = { readonly step: string; readonly ms: number };
type Journey = { readonly totalMs: number; readonly parts: readonly Part[] };

const repository = 'my-org/shop';

export async function benchJourney({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  const totals: number[] = [];
  const own: number[] = [];
  const steps = new Map<string, number[]>();
  await using world = await createJourneyWorld();
  await world.github.addRepository(repository, { files: await exampleFiles() });
  // The first makes the image with the example's packages.
  await journey(world, 'first');
  for (let run = 0; run < runs; run += 1) {
    const { totalMs, parts } = await journey(world, `user-${run}`);
    const otherMs = parts.filter(({ step }) => others.test(step)).reduce((sum, { ms }) => sum + ms, 0);
    totals.push(totalMs);
    own.push(totalMs - otherMs);
    for (const { step, ms } of parts) steps.set(step, [...(steps.get(step) ?? []), ms]);
  }
  const ownMs = summarize(own);
  return [
    {
      what: 'what Nexus adds to `nexus up` from an empty home',
      ours: seconds(own),
      theirs: '',
      compared: `${(ownMs.median / 1000).toFixed(1)} s`,
      bound: `< ${mostOwnMs / 1000} s`,
      isWithin: ownMs.median < mostOwnMs,
    },
    informative('the whole of it, with the example of three services', totals),
    ...Array.from(steps, ([step, times]) => informative(`of it at the server: \`${step}\``, times)),
  ];
}

/** Somebody with gh, and no key, who has no fork yet. */
async function journey(world: JourneyWorld, login: string): Promise<Journey> {
  const { github, nexus } = world;
  github.addUser(login);
  const user = await world.person(login, { gh: 'signed in', key: false });
  let view: WorkspaceView | undefined;
  const totalMs = await timed(async () => {
    const { exitCode, stdout, stderr } = await user.nexus('up', repository, '--server', nexus.url, '--json');
    if (exitCode !== 0) throw new Error(stderr);
    view = JSON.parse(stdout) as WorkspaceView;
  });
  if (view === undefined) throw new Error('nothing was made');
  const { stdout: token } = await user.run('gh', ['auth', 'token']);
  const client = createClient({ baseUrl: nexus.url, token: token.trim() });
  return { totalMs, parts: await partsOf(client, view.workspace_id) };
}

async function exampleFiles(): Promise<Files> {
  const folder = join(repositoryRoot, 'examples/shop');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path, 'utf8')] as const)),
  );
}

/** What the server was doing, one after another; services from their first start until the last is healthy. */
async function partsOf(client: Client, id: string): Promise<readonly Part[]> {
  const last = await client.call('getWorkspace', { params: { id } });
  const events: WorkspaceEvent[] = [];
  for await (const event of client.events(id, { lastEventId: 0 })) {
    events.push(event);
    const healthy = new Set(
      events.flatMap(({ data }) => (data.service?.status === 'running' ? data.service.name : [])),
    );
    if (healthy.size === Object.keys(last.services).length) break;
  }
  const parts: { step: string; ms: number }[] = [];
  for (const [index, event] of events.entries()) {
    const next = events[index + 1];
    const named = events.slice(0, index + 1).findLast(({ data }) => data.step !== undefined)?.data.step;
    const isServices = events.slice(0, index + 1).some(({ data }) => data.step?.startsWith('starting_service'));
    const step = isServices ? 'starting_service' : (named ?? 'placing');
    if (next === undefined) break;
    const ms = Date.parse(next.at) - Date.parse(event.at);
    const part = parts.find((one) => one.step === step);
    if (part) part.ms += ms;
    else parts.push({ step, ms });
  }
  return parts;
}

function informative(what: string, times: readonly number[]): Figure {
  return { what, ours: seconds(times), theirs: '', compared: '', bound: '', isWithin: true };
}

function seconds(times: readonly number[]): string {
  return `${range(summarize(times.map((ms) => ms / 1000)), 1)} s`;
}
