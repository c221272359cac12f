/**
 * The gateway: public ports for SSH and services, and the stream port. The server tells it what to listen on; what it
 * was told stays on disk, and neither the loss of the server nor its own restart is seen by who connects.
 */
import { join } from 'node:path';
import { connectControl, type ControlClient } from '../contract/control-client.ts';
import type { PeerToServer } from '../contract/control-protocol.ts';
import { removeUnfinished } from '../lib/atomic-file.ts';
import { loadIdentity } from '../lib/identity.ts';
import { machineId } from '../lib/machine-id.ts';
import { openPorts, type OpenPorts, type OpenPortsOptions } from './open-ports.ts';

/** `stateDir` keeps the identity, too. */
export type GatewayOptions = OpenPortsOptions & {
  /** The server's base URL. */
  readonly serverUrl: string;
  /** Needed once. */
  readonly joinToken?: string | undefined;
  readonly version: string;
  /** Aborted: take no more connections, live on until the open ones end. */
  readonly signal?: AbortSignal | undefined;
};

export type Gateway = {
  readonly streamPort: number;
  /**
   * Resolves when it has drained and the last connection has ended. Rejects, after the same, with the NexusError by
   * which the server keeps this gateway out.
   */
  readonly ended: Promise<void>;
};

/** Resolves when the gateway listens: on what it knew from before, for the server may not be there yet. */
export async function runGateway(options: GatewayOptions): Promise<Gateway> {
  const { stateDir, log } = options;
  await removeUnfinished(stateDir);
  const identity = await loadIdentity(join(stateDir, 'identity.pem'));
  const machine = await machineId(stateDir);
  let control: ControlClient | null = null;
  const send = (message: PeerToServer): void => void control?.send(message);
  const ports = await openPorts(options, { machine, send });
  const { listeners, routes, streamPort } = ports;
  control = connectControl({
    url: options.serverUrl,
    role: 'gateway',
    name: 'gateway',
    version: options.version,
    machine,
    identity,
    stateDir,
    joinToken: options.joinToken,
    onWelcome: () => send({ type: 'listening', ...streamPort.address }),
    onMessage: (message) => void (message.type === 'routes' && routes.take(message.table)),
    onDown: (reason) => log.warn({ reason }, 'no connection to the server'),
    heartbeat: () => ({ connections: listeners.connections + streamPort.streams }),
    log,
  });
  log.info({ pid: process.pid }, 'the gateway is up');
  return {
    streamPort: streamPort.port,
    ended: drainWhenTold(control, ports, { signal: options.signal, log }),
  };
}

async function drainWhenTold(
  control: ControlClient,
  { routes, listeners, streamPort }: OpenPorts,
  { signal, log }: Pick<GatewayOptions, 'signal' | 'log'>,
): Promise<void> {
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
