/** The server: its parts, put together, started and ended in order. */
import type pino from 'pino';
import type { ServerConfig } from '../contract/server-config.ts';
import { aborted } from '../lib/aborted.ts';
import { loadIdentity } from '../lib/identity.ts';
import { createLogger } from '../lib/log.ts';
import { machineId } from '../lib/machine-id.ts';
import { osUserName } from '../lib/os-user.ts';
import type { AppDeps } from './api/app-deps.ts';
import { buildApp } from './api/build-app.ts';
import { holdConnections } from './api/http-server.ts';
import { createAuthenticator, createWebSignInOf } from './auth/create-authenticator.ts';
import { createHub, type Hub } from './control/hub.ts';
import { loadClusterId } from './cluster-id.ts';
import { registerControl } from './control/register-control.ts';
import { announceServer, dataDir, lockDataDir, prepareDataDir, type DataDir } from './data-dir.ts';
import { childSpecs, startChildren } from './children/embedded-children.ts';
import { checkRepositoryAt } from './github/check-repository.ts';
import { openGitLender } from './git-credentials/open-git-lender.ts';
import { createGithubApi } from './github/github-api.ts';
import { listen, localUrl } from './listen.ts';
import { createMetrics } from './metrics.ts';
import { createReconciler, type RunningReconciler } from './reconcile/reconciler.ts';
import { openStreamThrough } from './open-stream.ts';
import { dropUpload, sendUpload } from './send-upload.ts';
import { openStore } from './store/store.ts';
import { openStreamKeys } from './stream-keys.ts';

export type ServerOptions = {
  readonly config: ServerConfig;
  /** By which the gateway and the agent are started. */
  readonly programCommand: readonly string[];
  readonly version: string;
  /** Aborted: ends. Absent: SIGTERM and SIGINT do it. */
  readonly signal?: AbortSignal;
  /** Told the URL when the server answers. */
  readonly onReady?: (url: string) => void;
  readonly log?: pino.Logger;
};

type ServerParts = Omit<AppDeps, 'peers' | 'ownProgram'> & {
  readonly hub: Hub;
  readonly reconciler: RunningReconciler;
};

/** How long running requests have to end: the processes get what is left of the 10 s that a stop may take. */
const closeWithinMs = 8_000;

/**
 * Runs until it is told to end.
 * @throws server_already_running, port_already_in_use, config_invalid
 */
export async function runServer(options: ServerOptions): Promise<void> {
  const { config } = options;
  const log = options.log ?? createLogger({ level: config.log.level, name: 'server' });
  const dir = dataDir(config.data_dir);
  await prepareDataDir(dir);
  const lock = await lockDataDir(dir);
  const stop = options.signal ? { signal: options.signal, [Symbol.dispose]: () => undefined } : stopOnSignals();
  try {
    await serve({ ...options, log, signal: stop.signal }, dir);
  } finally {
    stop[Symbol.dispose]();
    await lock[Symbol.asyncDispose]();
  }
}

async function serve(options: ServerOptions & { log: pino.Logger; signal: AbortSignal }, dir: DataDir): Promise<void> {
  const { config, log, version, signal } = options;
  await using cleanup = new AsyncDisposableStack();
  const parts = await openParts(options, dir, cleanup);
  const { hub, reconciler } = parts;
  const app = await buildApp({ ...parts, peers: hub, ownProgram: compiledProgram(options.programCommand) });
  cleanup.defer(() => app.close());
  const connections = holdConnections(app);
  registerControl(app, hub);
  const url = localUrl(config, await listen(app, dir, config.listen));
  cleanup.use(await announceServer(dir, { url, pid: process.pid }));
  const processes = startChildren(childSpecs(config, dir, url), {
    ...parts,
    programCommand: options.programCommand,
    version,
    folder: dir.path,
  });
  await reconciler.start();
  log.info({ url, version, pid: process.pid }, 'the server answers');
  options.onReady?.(url);
  await aborted(signal);
  log.info('the server is stopping');
  // What still runs goes through the gateway and the agent.
  await closeWithin(app, connections, closeWithinMs);
  await processes.stop();
}

/** All that decides, and answers nobody yet; `cleanup` ends it. */
async function openParts(
  { config, log }: { config: ServerConfig; log: pino.Logger },
  dir: DataDir,
  cleanup: AsyncDisposableStack,
): Promise<ServerParts> {
  const now = (): Date => new Date();
  const identity = await loadIdentity(dir.identity);
  const store = cleanup.use(await openStore(dir.database, { now }));
  const clusterId = await loadClusterId(store);
  const streamKeys = await openStreamKeys(dir.streamSecret);
  const machine = await machineId(dir.path);
  const hub = cleanup.use(
    await createHub({ store, identity, clusterId, streamKeys, machine, publicHost: config.public_host, log, now }),
  );
  const github = createGithubApi({ apiUrl: config.github.api_url, now });
  const lender = cleanup.use(
    await openGitLender({ config, keyFile: dir.credentialsKey, store, github, hub, log, now }),
  );
  const openStream = openStreamThrough(hub, streamKeys.server);
  const metrics = createMetrics({ store, config, now });
  const common = { store, config, metrics, log, now };
  const reconciler = cleanup.use(
    createReconciler({
      ...common,
      hub,
      streamKeys,
      lendGit: (node) => lender.lendTo(node),
      sendUpload: (node, workspaceId) => sendUpload(openStream, { dataDir: dir.path, node, workspaceId }),
      dropUpload: (workspaceId) => dropUpload(dir.path, workspaceId),
    }),
  );
  const authenticator = await createAuthenticator({ config, store, github, lender, osUser: osUser(), now });
  return {
    ...common,
    hub,
    reconciler,
    openStream,
    authenticator,
    checkRepository: checkRepositoryAt(github, config),
    webSignIn: createWebSignInOf(config, { now, onGrant: (grant) => lender.expect(grant) }),
    serverPublicKey: identity.publicKey,
  };
}

/** New requests are refused from now on; what still runs after the time is cut off. */
async function closeWithin(
  app: { close(): PromiseLike<unknown> },
  connections: { cut(): void },
  timeoutMs: number,
): Promise<void> {
  const timer = setTimeout(() => connections.cut(), timeoutMs);
  await app.close();
  clearTimeout(timer);
}

/** The compiled file is run by its name alone, the sources by Node.js and theirs. */
function compiledProgram([program, ...sources]: readonly string[]): string | null {
  return program !== undefined && sources.length === 0 ? program : null;
}

function osUser(): { username: string; uid: number } {
  return { username: osUserName(), uid: process.getuid?.() ?? 0 };
}

function stopOnSignals(): Disposable & { readonly signal: AbortSignal } {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const name of signals) process.on(name, stop);
  return {
    signal: stopping.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, stop);
    },
  };
}
