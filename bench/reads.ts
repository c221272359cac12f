/** Reads of the API at a fixed rate, with a few workspaces in the database and with a thousand, in one run. */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { newId } from '../src/contract/ids.ts';
import { replaceServices } from '../src/server/store/services.ts';
import { openStore, type Tx } from '../src/server/store/store.ts';
import { insertUser } from '../src/server/store/users.ts';
import { insertWorkspace } from '../src/server/store/workspaces.ts';
import type { Installation } from '../test/support/installation.ts';
import { range, type Figure } from './figure.ts';
import { untilWell, withInstallation } from './installation.ts';
import { openLoop } from './open-loop.ts';
import { cpuSeconds } from './process-usage.ts';
import { quantile, summarize } from './statistics.ts';

const perSecond = 500;
const mostP99Ms = 20;
const owners = 10;
const few = 1;
const many = 100;

export function benchReads({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const seconds = runs * 2;
    const withFew = await measure(nexus, await fill(nexus, { ofEach: few }), seconds);
    const withMany = await measure(nexus, await fill(nexus, { ofEach: many - few }), seconds);
    return [
      figureOf(`reads at ${perSecond}/s with ${owners * few} workspaces in the database`, withFew, null),
      figureOf(`the same with ${owners * many} | with ${owners * few}`, withMany, withFew),
    ];
  });
}

type Measured = { readonly times: readonly number[]; /** Of a core, the server's. */ readonly percent: number };

function figureOf(what: string, measured: Measured, beside: Measured | null): Figure {
  const p99 = quantile(measured.times, 0.99);
  return {
    what,
    ours: textOf(measured),
    theirs: beside ? textOf(beside) : '',
    compared: `p99 ${p99.toFixed(1)} ms`,
    bound: `p99 < ${mostP99Ms} ms`,
    isWithin: p99 < mostP99Ms,
  };
}

function textOf({ times, percent }: Measured): string {
  const p99 = quantile(times, 0.99).toFixed(1);
  return `${range(summarize(times), 1)} ms, p99 ${p99} ms; the server takes ${percent.toFixed(0)} % of a core`;
}

/** The server is away meanwhile, as it alone writes its database. Returns the workspaces' ids. */
async function fill(nexus: Installation, { ofEach }: { ofEach: number }): Promise<string[]> {
  await nexus.kill('server');
  const ids = await addStopped(join(nexus.dataDir, 'nexus.db'), ofEach);
  await nexus.startServer();
  await untilWell(nexus);
  return ids;
}

async function addStopped(database: string, ofEach: number): Promise<string[]> {
  await using store = await openStore(database, { now: () => new Date() });
  await store.transaction(async (tx) => {
    const [known] = await tx.selectFrom('users').select('id').where('id', 'like', 'user-bench-%').execute();
    for (let owner = 0; owner < owners; owner += 1) {
      const user = { id: `user-bench-${owner}`, github_username: `bench-${owner}`, github_id: 9_000_000 + owner };
      if (known === undefined) await insertUser(tx, { ...user, ssh_pubkey: null, ssh_pubkey_fingerprint: null });
      for (let index = 0; index < ofEach; index += 1) await insertStopped(tx, user.id);
    }
  });
  return (await store.db.selectFrom('workspaces').select('id').execute()).map(({ id }) => id);
}

async function insertStopped(tx: Tx, owner: string): Promise<void> {
  const id = newId('ws');
  const name = `w${id.slice(3)}`;
  const services = ['web', 'api', 'db'].map((service, index) => ({
    name: service,
    command: `npm run ${service}`,
    port: 3000 + index,
    env: {},
    depends_on: [],
  }));
  await insertWorkspace(tx, {
    id,
    owner_id: owner,
    name,
    want: 'stopped',
    status: 'stopped',
    node: 'node-1',
    provider: 'lxc',
    image: 'debian:12',
    request_json: JSON.stringify({ workspace_name: name, repo: { owner: 'bench', name: 'bench' }, services }),
  });
  await replaceServices(tx, id, services);
}

async function measure(nexus: Installation, ids: readonly string[], seconds: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const headers = { authorization: `Bearer ${await nexus.token()}` };
  const get = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${nexus.url}/api/v1${path}`, { agent, headers }, (response) => {
        response.resume();
        if (response.statusCode === 200) response.once('end', resolve);
        else reject(new Error(`GET ${path}: ${response.statusCode}`));
      });
      outgoing.once('error', reject).end();
    });
  const read = (index: number): Promise<void> => {
    const id = ids[(index * 7919) % ids.length] ?? '';
    if (index % 5 === 0) return get('/health');
    return index % 5 < 3 ? get(`/workspaces/${id}`) : get(`/workspaces?offset=${(index * 50) % ids.length}`);
  };
  try {
    await openLoop({ perSecond, seconds: Math.ceil(seconds / 5) }, read);
    const server = await nexus.pid('server');
    const before = cpuSeconds(server);
    const times = await openLoop({ perSecond, seconds }, read);
    return { times, percent: (100 * (cpuSeconds(server) - before)) / seconds };
  } finally {
    agent.destroy();
  }
}
