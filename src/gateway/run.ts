/**
 * The gateway: public ports for SSH and services, and the stream port. The server tells it what to listen on; what it
 * was told stays on disk, and neither the loss of the server nor its own restart is seen by who connects.
 */
import { join } from 'node:path';
import { connectControl, type ControlClient } from '../contract/control-client.ts';
import type { PeerToServer } from '../contract/control-protocol.ts';
import { loadIdentity } from '../lib/identity.ts';
import { removeUnfinished } from '../lib/atomic-file.ts';
import type { Logger } from '../lib/log.ts';
import { limitLog } from '../lib/log-limit.ts';
import { machineId } from '../lib/machine-id.ts';
import { isProcessAlive } from '../lib/process-alive.ts';
import { createCrowd } from './crowd.ts';
import { forward } from './forward.ts';
import { ParkingLot } from './parking-lot.ts';
import { PublicListeners } from './public-listeners.ts';
import { RouteKeeper } from './route-keeper.ts';
import { loadGatewayState, loadRoutes, saveGatewayState, type GatewayState } from './state-files.ts';
import { createSplice } from './splice.ts';
import { openStreamPort, type StreamPort, type StreamPortOptions } from './stream-port.ts';

export type GatewayOptions = {
  /** The server's base URL. */
  readonly serverUrl: string;
  /** Keeps the identity, the routes and `gateway.json`. */
  readonly stateDir: string;
  /** Where the public ports listen. */
  readonly host: string;
  readonly streamHost: string;
  /** 0: any; after a restart the same one, when it is free. */
  readonly streamPort: number;
  /** Needed once. */
  readonly joinToken?: string | undefined;
  readonly version: string;
  /** Aborted: take no more connections, live on until the open ones end. */
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
  /** How often a port that could not be had is tried again; for tests. */
  readonly retryPortsMs?: number;
  /** An SSH client that comes while its workspace starts is held for so long, and let in as soon as sshd is there. */
  readonly startingWithinMs?: number;
};

export type Gateway = {
  readonly streamPort: number;
  /**
   * Resolves when it has drained and the last connection has ended. Rejects, after the same, with the NexusError by
   * which the server keeps this gateway out.
   */
  readonly ended: Promise<void>;
};

/** How long a stream waits for an agent that has no connection parked. */
const parkedWaitMs = 5_000;
/** Clients of one port that are kept while their workspace starts, and that are served through an agent. */
const most = { waiting: 64, throughAgent: 128 };

/** Resolves when the gateway listens: on what it knew from before, for the server may not be there yet. */
export async function runGateway(options: GatewayOptions): Promise<Gateway> {
  const { stateDir, host, log, retryPortsMs = 5_000, startingWithinMs = 10_000 } = options;
  await removeUnfinished(stateDir);
  const identity = await loadIdentity(join(stateDir, 'identity.pem'));
  const machine = await machineId(stateDir);
  const before = await loadGatewayState(stateDir, log);
  const sharing = (): 'shared' | 'shareable' =>
    before !== null && before.pid !== process.pid && isProcessAlive(before.pid) ? 'shared' : 'shareable';
  const parkingLot = new ParkingLot({ waitMs: parkedWaitMs });
  let control: ControlClient | null = null;
  function send(message: PeerToServer): void {
    control?.send(message);
  }
  function onSshConnected(workspaceId: string, seconds: number): void {
    send({ type: 'ssh_connected', workspace_id: workspaceId, seconds });
  }

  const splice = createSplice();
  const context = {
    machine,
    parkingLot,
    splice,
    startingWithinMs,
    waiting: createCrowd(most.waiting),
    throughAgent: createCrowd(most.throughAgent),
    onSshConnected,
    log: limitLog(log),
  };
  const listeners = new PublicListeners({
    host,
    sharing,
    forward: (client, currentRoute) => forward(client, currentRoute, context),
    log: limitLog(log),
  });
  const routes = new RouteKeeper({
    stateDir,
    table: await loadRoutes(stateDir, log),
    listeners,
    retryMs: retryPortsMs,
    onApplied: (version, failed) => send({ type: 'routes_applied', version, failed: [...failed] }),
    onKeysChanged: (isUnchanged) => parkingLot.keepOnly(isUnchanged),
    log,
  });
  const streamPort = await openSameStreamPort(before, {
    host: options.streamHost,
    port: options.streamPort,
    sharing: sharing(),
    keyOf: (name) => routes.streamKey(name),
    parkingLot,
    splice,
    log,
  });
  await routes.start();
  await saveGatewayState(stateDir, { pid: process.pid, stream_port: streamPort.port });
  control = connectControl({
    url: options.serverUrl,
    role: 'gateway',
    name: 'gateway',
    version: options.version,
    machine,
    identity,
    stateDir,
    joinToken: options.joinToken,
    onWelcome: () => send({ type: 'listening', host: options.streamHost, port: streamPort.port }),
    onMessage: (message) => void (message.type === 'routes' && routes.take(message.table)),
    onDown: (reason) => log.warn({ reason }, 'no connection to the server'),
    heartbeat: () => ({ connections: listeners.connections + streamPort.streams }),
    log,
  });
  log.info({ pid: process.pid }, 'the gateway is up');
  return {
    streamPort: streamPort.port,
    ended: drainWhenTold({ control, routes, listeners, streamPort, signal: options.signal, log }),
  };
}

async function drainWhenTold(parts: {
  control: ControlClient;
  routes: RouteKeeper;
  listeners: PublicListeners;
  streamPort: StreamPort;
  signal: AbortSignal | undefined;
  log: Logger;
}): Promise<void> {
  const { control, routes, listeners, streamPort, signal, log } = parts;
  const onSignal = (): void => void control[Symbol.asyncDispose]();
  signal?.addEventListener('abort', onSignal);
  if (signal?.aborted) onSignal();
  const refusal = await control.ended;
  signal?.removeEventListener('abort', onSignal);
  if (refusal) log.error({ err: refusal }, 'the server keeps this gateway out');
  await routes.stop();
  const drained = Promise.all([listeners.drain(), streamPort.drain()]);
  log.info({ connections: listeners.connections, streams: streamPort.streams }, 'no more connections are taken');
  await drained;
  if (refusal) throw refusal;
}

/**
 * Takes the port of before, where one is free to choose: agents then find the gateway again without the server. While
 * an older gateway still has it, this one takes another, so that nobody opens a stream at the one and parks at the other.
 */
async function openSameStreamPort(before: GatewayState | null, options: StreamPortOptions): Promise<StreamPort> {
  if (options.port !== 0) return openStreamPort(options);
  const anyPort = { ...options, sharing: 'exclusive' } as const;
  if (before === null) return openStreamPort(anyPort);
  return openStreamPort({ ...anyPort, port: before.stream_port }).catch(() => openStreamPort(anyPort));
}
