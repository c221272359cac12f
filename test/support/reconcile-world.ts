/** The server without its API: the real database, control endpoint and reconciler, which can be killed and built anew. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import websocket from '@fastify/websocket';
import { fastify, type FastifyInstance } from 'fastify';
import { newId } from '../../src/contract/ids.ts';
import { joinTokenHash, newJoinToken } from '../../src/contract/handshake.ts';
import type { ProviderHealth } from '../../src/contract/node.ts';
import { serverConfig, type ServerConfig } from '../../src/contract/server-config.ts';
import type { CreateWorkspaceInput, WorkspaceEvent } from '../../src/contract/workspace.ts';
import { createWorkspaceRequest } from '../../src/contract/workspace.ts';
import { loadIdentity, type Identity } from '../../src/lib/identity.ts';
import { createHub, type Hub } from '../../src/server/control/hub.ts';
import { registerControl } from '../../src/server/control/register-control.ts';
import { createReconciler, type RunningReconciler } from '../../src/server/reconcile/reconciler.ts';
import { loadClusterId } from '../../src/server/cluster-id.ts';
import { openStreamKeys, type StreamKeys } from '../../src/server/stream-keys.ts';
import { eventsAfter } from '../../src/server/store/events.ts';
import { insertJoinToken } from '../../src/server/store/join-tokens.ts';
import { takePort } from '../../src/server/store/ports.ts';
import type { ServiceRow, WorkspaceRow } from '../../src/server/store/schema.ts';
import { listServices } from '../../src/server/store/services.ts';
import { openStore, type Store } from '../../src/server/store/store.ts';
import { findUserByName, insertUser } from '../../src/server/store/users.ts';
import { findWorkspace, insertWorkspace, setWant, updateWorkspace } from '../../src/server/store/workspaces.ts';
import { silentLog } from './silent-log.ts';
import { startScriptedAgent, type ScriptedAgent, type ScriptedEngine } from './scripted-agent.ts';

export type ReconcileServer = AsyncDisposable & { readonly hub: Hub; readonly reconciler: RunningReconciler };

export type ReconcileWorld = AsyncDisposable & {
  readonly store: Store;
  readonly config: ServerConfig;
  readonly dataDir: string;
  readonly url: string;
  /** The server that runs now. */
  readonly server: ReconcileServer;
  /** The server's wall clock shows so much more than this machine's: a test may put it forward or back. */
  readonly clock: { aheadMs: number };
  /** Every figure that was measured. */
  readonly measured: Readonly<Record<'created' | 'services' | 'ssh', number[]>>;
  readonly uploads: string[];
  /** Ends the present server as a kill does (nothing is written any more) and starts another on its port. */
  restartServer(): Promise<void>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** After so many more transactions the server is dead: nothing that it does has an effect. Resolves when it is. */
  killAfterCommits(commits: number): Promise<void>;
  joinToken(role: 'agent' | 'gateway', name: string, options?: { livesMs?: number }): Promise<string>;
  /** The node's agent, joined. */
  agent(
    engine: ScriptedEngine,
    options?: { name?: string; stateDir?: string; providers?: readonly ProviderHealth[] },
  ): Promise<ScriptedAgent>;
  create(request?: Partial<CreateWorkspaceInput>): Promise<string>;
  ask(id: string, want: WorkspaceRow['want'], options?: { force?: boolean }): Promise<void>;
  row(id: string): Promise<WorkspaceRow>;
  services(id: string): Promise<ServiceRow[]>;
  events(id: string): Promise<WorkspaceEvent[]>;
  /** Resolves when the workspace's row is such; looks whenever an event was written. */
  until(id: string, condition: (row: WorkspaceRow) => boolean): Promise<WorkspaceRow>;
};

export const ownKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwn alice';

type Options = { readonly config?: object; readonly silenceMs?: number };

export async function createReconcileWorld(options: Options = {}): Promise<ReconcileWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nexus-reconcile-'));
  const config = serverConfig.parse({
    data_dir: dataDir,
    ports: { ssh: '2222-2229', services: '23000-23009' },
    ...options.config,
  });
  const clock = { aheadMs: 0 };
  const now = (): Date => new Date(Date.now() + clock.aheadMs);
  const store = await openStore(join(dataDir, 'nexus.db'), { now });
  const identity = await loadIdentity(join(dataDir, 'server.pem'));
  const streamKeys = await openStreamKeys(join(dataDir, 'streams.secret'));
  const measured = { created: [] as number[], services: [] as number[], ssh: [] as number[] };
  const uploads: string[] = [];
  let port = 0;
  let mortal = mortalStore(store);
  let server: (ReconcileServer & { port: number }) | null = null;

  async function startServer(): Promise<void> {
    mortal = mortalStore(store);
    server = await buildServer({
      store: mortal.store,
      identity,
      streamKeys,
      config,
      port,
      measured,
      uploads,
      silenceMs: options.silenceMs,
      now,
    });
    port = server.port;
  }
  async function stopServer(): Promise<void> {
    mortal.kill();
    await server?.[Symbol.asyncDispose]();
    server = null;
  }
  await startServer();

  const world: ReconcileWorld = {
    store,
    config,
    dataDir,
    clock,
    measured,
    uploads,
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get server() {
      if (!server) throw new Error('the server does not run');
      return server;
    },
    startServer,
    stopServer,
    async restartServer() {
      await stopServer();
      await startServer();
    },
    killAfterCommits: (commits) => mortal.dieAfter(commits),
    async joinToken(role, name, { livesMs = 60_000 } = {}) {
      const token = newJoinToken(identity.publicKey);
      const expires_at = new Date(now().getTime() + livesMs).toISOString();
      await store.transaction((tx) =>
        insertJoinToken(tx, { token_hash: joinTokenHash(token), role, name, expires_at }),
      );
      return token;
    },
    async agent(engine, { name = 'node-1', ...rest } = {}) {
      return startScriptedAgent({
        url: world.url,
        engine,
        name,
        joinToken: await world.joinToken('agent', name),
        ...rest,
      });
    },
    async create(request = {}) {
      const id = await insertNew(store, config, request);
      server?.reconciler.nudge(id);
      return id;
    },
    async ask(id, want, { force = false } = {}) {
      await store.transaction((tx) => setWant(tx, id, want, { force }));
      server?.reconciler.nudge(id);
    },
    async row(id) {
      const row = await findWorkspace(store.db, id);
      if (!row) throw new Error(`${id} is gone`);
      return row;
    },
    services: (id) => listServices(store.db, id),
    events: (id) => eventsAfter(store.db, { workspaceId: id, after: 0, limit: 10_000 }),
    until: (id, condition) => untilRow(store, id, condition),
    async [Symbol.asyncDispose]() {
      await stopServer();
      await store[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return world;
}

type Parts = {
  readonly store: Store;
  readonly identity: Identity;
  readonly streamKeys: StreamKeys;
  readonly config: ServerConfig;
  readonly port: number;
  readonly measured: Record<'created' | 'services' | 'ssh', number[]>;
  readonly uploads: string[];
  readonly silenceMs: number | undefined;
  readonly now: () => Date;
};

async function buildServer(parts: Parts): Promise<ReconcileServer & { port: number }> {
  const { store, identity, streamKeys, config, measured, uploads, silenceMs, now } = parts;
  const clusterId = await loadClusterId(store);
  const hub = await createHub({
    store,
    identity,
    clusterId,
    streamKeys,
    machine: 'test',
    publicHost: 'localhost',
    log: silentLog,
    now,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
  const reconciler = createReconciler({
    store,
    hub,
    config,
    now,
    log: silentLog,
    streamKeys,
    metrics: {
      workspaceCreated: (seconds) => void measured.created.push(seconds),
      serviceStarted: (seconds) => void measured.services.push(seconds),
      sshConnected: (seconds) => void measured.ssh.push(seconds),
    },
    lendGit: async () => undefined,
    sendUpload: async (node, id) => void uploads.push(`${id} to ${node}`),
    dropUpload: async (id) => void uploads.push(`${id} dropped`),
  });
  const app: FastifyInstance = fastify();
  await app.register(websocket);
  registerControl(app, hub);
  await app.listen({ host: '127.0.0.1', port: parts.port });
  await reconciler.start();
  return {
    hub,
    reconciler,
    port: (app.server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      hub[Symbol.dispose]();
      await reconciler[Symbol.asyncDispose]();
      await app.close();
    },
  };
}

/** A store that a dead server cannot write to any more, as of a certain commit. */
function mortalStore(store: Store): { store: Store; kill(): void; dieAfter(commits: number): Promise<void> } {
  let left = Infinity;
  let onDeath = (): void => undefined;
  const dead = new Error('the server is dead');
  return {
    store: {
      file: store.file,
      schemaVersion: store.schemaVersion,
      get db() {
        return store.db;
      },
      onEvent: (listener) => store.onEvent(listener),
      async transaction(run) {
        if (left <= 0) throw dead;
        left -= 1;
        const isLast = left === 0;
        const result = await store.transaction(run);
        if (!isLast) return result;
        onDeath();
        throw dead;
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    kill() {
      left = 0;
    },
    dieAfter(commits) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onDeath = resolve;
      left = commits;
      return promise;
    },
  };
}

async function insertNew(store: Store, config: ServerConfig, input: Partial<CreateWorkspaceInput>): Promise<string> {
  const request = createWorkspaceRequest.parse({
    workspace_name: `shop-${Math.random().toString(36).slice(2, 8)}`,
    repo: { owner: 'acme', name: 'shop' },
    ...input,
  });
  return store.transaction(async (tx) => {
    const user =
      (await findUserByName(tx, 'alice')) ??
      (await insertUser(tx, {
        id: newId('user'),
        github_username: 'alice',
        github_id: 1001,
        ssh_pubkey: ownKey,
        ssh_pubkey_fingerprint: 'SHA256:x',
      }));
    const row = await insertWorkspace(tx, {
      id: newId('ws'),
      owner_id: user.id,
      name: request.workspace_name,
      want: 'running',
      status: 'pending',
      provider: 'lxc',
      image: request.image ?? 'debian:12',
      packages_json: JSON.stringify(request.packages ?? []),
      request_json: JSON.stringify(request),
    });
    const ssh_port = await takePort(tx, {
      pool: 'ssh',
      range: config.ports.ssh,
      workspaceId: row.id,
      service: null,
      targetPort: 22,
    });
    await updateWorkspace(tx, row.id, { ssh_port });
    return row.id;
  });
}

async function untilRow(store: Store, id: string, condition: (row: WorkspaceRow) => boolean): Promise<WorkspaceRow> {
  const { promise, resolve, reject } = Promise.withResolvers<WorkspaceRow>();
  const look = async (): Promise<void> => {
    const row = await findWorkspace(store.db, id);
    if (row && condition(row)) resolve(row);
  };
  const unlisten = store.onEvent((event) => {
    if (event.workspace_id === id) void look().catch(reject);
  });
  void look().catch(reject);
  return promise.finally(unlisten);
}
