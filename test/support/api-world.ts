/**
 * The real HTTP API on a port of its own and a database of its own, with collaborators that a test steers in the place
 * of nodes: nothing runs behind it, but the store and every answer are real.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createClient } from '../../src/contract/api-client.ts';
import type { Client } from '../../src/contract/api-client.ts';
import { endpoints } from '../../src/contract/api.ts';
import type { EndpointName } from '../../src/contract/api.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { buildApp } from '../../src/server/api/build-app.ts';
import type { AppDeps } from '../../src/server/api/app-deps.ts';
import { createAuthenticator, createWebSignInOf } from '../../src/server/auth/create-authenticator.ts';
import type { Authenticator, TokenOwner } from '../../src/server/auth/authenticator.ts';
import type { OpenStream, Peers, Reconciler } from '../../src/server/collaborators.ts';
import { checkRepositoryAt } from '../../src/server/github/check-repository.ts';
import { createGithubApi } from '../../src/server/github/github-api.ts';
import { loadConfig } from '../../src/server/load-config.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { appendEvent } from '../../src/server/store/events.ts';
import { insertNode, updateNode } from '../../src/server/store/nodes.ts';
import { openStore } from '../../src/server/store/store.ts';
import type { Store } from '../../src/server/store/store.ts';
import { deleteWorkspace, findWorkspace, updateWorkspace } from '../../src/server/store/workspaces.ts';

/** What the API asked of the reconciler and the nodes, in order: `nudge ws-…`, `service web restart`. */
type Asked = string[];

export type ApiWorld = AsyncDisposable & {
  readonly app: FastifyInstance;
  readonly baseUrl: string;
  readonly dataDir: string;
  readonly store: Store;
  readonly clock: { now: Date };
  readonly asked: Asked;
  /** What stands in the log, an object a line. */
  readonly logged: Record<string, unknown>[];
  /** The client of a user; `alice` is an administrator, and the others are not. */
  client(user?: string): Client;
  /** Replaced by tests that need another behaviour than the obedient one. */
  reconciler: { -readonly [K in keyof Reconciler]: Reconciler[K] };
  peers: { -readonly [K in keyof Peers]: Peers[K] };
  openStream: OpenStream;
  /** Makes the workspace what was asked for, on node-1, as the reconciler would. */
  settle(workspaceId: string): Promise<void>;
  /** From now on that is done as soon as something is asked for. */
  settleAtOnce(): void;
  addNode(name: string): Promise<void>;
};

const ids: Readonly<Record<string, number>> = { alice: 1001, bob: 1002, carol: 1003 };

/** Tokens are `token-NAME`. */
const named: Authenticator = {
  async authenticate(token): Promise<TokenOwner> {
    const name = token.replace(/^token-/, '');
    const githubId = ids[name];
    if (githubId === undefined) throw new NexusError('unauthorized', { reason: 'the token is not known' });
    return { githubUsername: name, githubId, admin: name === 'alice' };
  },
};

export type WorldOptions = {
  env?: Record<string, string>;
  heartbeatMs?: number;
  bodyWithinMs?: number;
  /** `configured`: that of the configuration's mode, with tokens of its own kind. */
  authenticator?: 'named' | 'local' | 'configured';
  ownProgram?: string;
};

export async function createApiWorld({
  env = {},
  heartbeatMs,
  bodyWithinMs,
  authenticator = 'named',
  ownProgram,
}: WorldOptions = {}): Promise<ApiWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nexus-api-'));
  await mkdir(join(dataDir, 'uploads'));
  const config = loadConfig({ env: { NEXUS_DATA_DIR: dataDir, ...env } });
  const clock = { now: new Date('2026-01-17T10:00:00.000Z') };
  const now = (): Date => clock.now;
  const store = await openStore(join(dataDir, 'nexus.db'), { now });
  const logged: Record<string, unknown>[] = [];
  const asked: Asked = [];
  const world = { asked, logged, store, clock, dataDir } as unknown as { -readonly [K in keyof ApiWorld]: ApiWorld[K] };
  world.settle = (id) => settle(store, id);
  world.settleAtOnce = () => {
    const { nudge } = world.reconciler;
    world.reconciler.nudge = (id) => {
      nudge(id);
      void world.settle(id);
    };
  };
  world.reconciler = obedientReconciler(world);
  world.peers = obedientPeers(world);
  world.openStream = async () => {
    throw new NexusError('node_unreachable', { node: 'node-1' });
  };
  world.addNode = (name) => addNode(store, name);
  const github = createGithubApi({ apiUrl: config.github.api_url, now });
  const lender = { take: async () => undefined, refuse: async () => undefined };
  const osUser = { username: 'alice', uid: 1000 };
  const deps: AppDeps = {
    config,
    store,
    now,
    reconciler: forwarding(() => world.reconciler),
    peers: forwarding(() => world.peers),
    openStream: (...args) => world.openStream(...args),
    authenticator:
      authenticator === 'named' ? named : await createAuthenticator({ config, store, github, lender, osUser, now }),
    checkRepository: authenticator === 'named' ? async () => undefined : checkRepositoryAt(github, config),
    webSignIn: createWebSignInOf(config, { now, onGrant: () => undefined }),
    metrics: createMetrics({ store, config, now }),
    log: pino({ level: 'debug' }, lineSink(logged)),
    ownProgram: ownProgram ?? null,
    serverPublicKey: Buffer.alloc(32, 7).toString('base64'),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(bodyWithinMs === undefined ? {} : { bodyWithinMs }),
  };
  world.app = await buildApp(deps);
  await world.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = world.app.server.address() as AddressInfo;
  world.baseUrl = `http://127.0.0.1:${port}`;
  const localToken =
    authenticator === 'local' ? (await readFile(join(dataDir, 'local-token'), 'utf8')).trim() : undefined;
  world.client = (user = 'alice') =>
    checkedClient(createClient({ baseUrl: world.baseUrl, token: localToken ?? `token-${user}` }));
  world[Symbol.asyncDispose] = async () => {
    await world.app.close();
    await store[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  };
  return world;
}

/** Every answer is checked against the schema that the documents promise. */
function checkedClient(client: Client): Client {
  return {
    ...client,
    async call(name: EndpointName, ...options: never[]) {
      const answer: unknown = await (client.call as (...args: unknown[]) => Promise<unknown>)(name, ...options);
      const { response } = endpoints[name];
      return response === null ? answer : response.parse(answer);
    },
  } as Client;
}

/** Methods of whatever is there when they are called. */
function forwarding<T extends object>(current: () => T): T {
  return new Proxy({} as T, { get: (_, name) => (current() as Record<PropertyKey, unknown>)[name] });
}

function obedientReconciler({ asked, store }: Pick<ApiWorld, 'asked' | 'store'>): Reconciler {
  return {
    nudge: (id) => void asked.push(`nudge ${id}`),
    settled: async (id) => settle(store, id),
    async routesApplied() {
      asked.push('routes');
      return new Set();
    },
    keysChanged: async (userId) => void asked.push(`keys ${userId}`),
    serviceCommand: async (_id, service, action) => void asked.push(`service ${service} ${action}`),
    queueLength: () => 0,
  };
}

function obedientPeers({ asked }: Pick<ApiWorld, 'asked'>): Peers {
  return {
    nodeConnected: () => true,
    hasHeardOf: () => false,
    instancesOn: () => [],
    gateway: () => ({ connected: true, version: '1.0.0' }),
    command: async () => {
      throw new NexusError('node_unreachable', { node: 'node-1' });
    },
    disconnect: (node) => void asked.push(`disconnect ${node}`),
  };
}

async function settle(store: Store, id: string): Promise<void> {
  await store.transaction(async (tx) => {
    const row = await findWorkspace(tx, id);
    if (!row) return;
    if (row.want === 'deleted') {
      await deleteWorkspace(tx, id);
      await appendEvent(tx, { workspace_id: id, type: 'deleted', data: {} });
      return;
    }
    const stoppedAt = row.want === 'stopped' ? { stopped_at: tx.at } : {};
    await updateWorkspace(tx, id, {
      status: row.want,
      node: 'node-1',
      host_key: 'ssh-ed25519 AAAA',
      step: null,
      ...stoppedAt,
    });
    await appendEvent(tx, { workspace_id: id, type: 'status', data: { status: row.want } });
  });
}

async function addNode(store: Store, name: string): Promise<void> {
  await store.transaction(async (tx) => {
    const keys = { public_key: Buffer.alloc(32, 1).toString('base64') };
    await insertNode(tx, { name, role: 'agent', version: '1.0.0', machine: 'm', ...keys });
    await updateNode(tx, name, { last_heartbeat: tx.at });
  });
}

function lineSink(logged: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
}
