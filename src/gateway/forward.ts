/**
 * One connection to a public port: finds the way to the workspace and carries the bytes. Nothing of them is looked at.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Route } from '../contract/control-protocol.ts';
import { withDeadline } from '../contract/deadline.ts';
import { NexusError } from '../contract/errors.ts';
import { connectTcp, requestStream } from '../contract/stream-client.ts';
import type { Logger } from '../lib/log.ts';
import type { Crowd } from './crowd.ts';
import type { ParkingLot } from './parking-lot.ts';
import type { Splice } from './splice.ts';

export type ForwardContext = {
  /** This machine's id: instances on it are connected to directly. */
  readonly machine: string;
  readonly parkingLot: ParkingLot;
  readonly splice: Splice;
  readonly startingWithinMs: number;
  /** Clients that wait for their workspace to start, by port: each tries again and again. */
  readonly waiting: Crowd;
  /** Clients that are served through an agent, by port: each may cost a process there. */
  readonly throughAgent: Crowd;
  /** An SSH connection got its first byte from the workspace. */
  onSshConnected(workspaceId: string, seconds: number): void;
  readonly log: Logger;
};

/** Instances on this machine answer at once or not at all. */
const directTimeoutMs = 3_000;
const streamTimeoutMs = 10_000;
const retryMs = 20;

/** Resolves when the connection is over. A workspace that cannot be reached closes it. */
export async function forward(client: Socket, currentRoute: () => Route, context: ForwardContext): Promise<void> {
  const route = currentRoute();
  const { log } = context;
  const acceptedAt = performance.now();
  const clientGone = new AbortController();
  const onClose = (): void => clientGone.abort(new NexusError('stream_failed', { reason: 'the client went away' }));
  client.once('close', onClose);
  let workspace: Socket;
  try {
    workspace = await (route.kind === 'ssh'
      ? connectStarting(currentRoute, context, clientGone.signal)
      : connectWorkspace(route, context, clientGone.signal));
  } catch (error) {
    log.info(
      { err: error, workspace: route.workspace_id, kind: route.kind, port: route.listen },
      'no way to the workspace',
    );
    client.destroy();
    return;
  } finally {
    client.off('close', onClose);
  }
  if (route.kind === 'ssh') {
    workspace.once('data', () => context.onSshConnected(route.workspace_id, (performance.now() - acceptedAt) / 1000));
  }
  await context.splice(client, workspace);
}

async function connectStarting(
  currentRoute: () => Route,
  context: ForwardContext,
  clientGone: AbortSignal,
): Promise<Socket> {
  const until = performance.now() + context.startingWithinMs;
  let leave: (() => void) | null = null;
  try {
    for (;;) {
      try {
        return await connectWorkspace(currentRoute(), context, clientGone);
      } catch (error) {
        const isPassing = error instanceof NexusError && error.code === 'stream_failed';
        if (!isPassing || clientGone.aborted || performance.now() > until) throw error;
        leave ??= context.waiting.enter(currentRoute().listen);
        if (leave === null) throw error;
      }
      await delay(retryMs, undefined, { signal: clientGone });
    }
  } finally {
    leave?.();
  }
}

async function connectWorkspace(route: Route, context: ForwardContext, clientGone: AbortSignal): Promise<Socket> {
  const { address: host, port } = route;
  if (host === null) throw new NexusError('stream_failed', { reason: 'the workspace does not run' });
  if (route.machine !== context.machine) return connectThroughAgent(route, context, clientGone);
  try {
    const limits = { signal: clientGone, timeoutMs: directTimeoutMs };
    return await withDeadline(limits, 'Connecting to the workspace', (signal) => connectTcp({ host, port, signal }));
  } catch (error) {
    // A service may listen on the loopback of its workspace only, where the agent gets at it.
    if (route.kind === 'service' && wasRefused(error)) return connectThroughAgent(route, context, clientGone);
    throw error;
  }
}

async function connectThroughAgent(route: Route, context: ForwardContext, clientGone: AbortSignal): Promise<Socket> {
  const request = { kind: 'tcp', workspace_id: route.workspace_id, port: route.port } as const;
  const leave = context.throughAgent.enter(route.listen);
  if (leave === null) throw new NexusError('stream_failed', { reason: 'too many clients are served by its agent' });
  try {
    const parked = await context.parkingLot.take(route.node, { signal: clientGone });
    if (parked === null) throw new NexusError('node_unreachable', { node: route.node });
    const limits = { signal: clientGone, timeoutMs: streamTimeoutMs };
    const stream = await withDeadline(limits, 'Opening a stream', (signal) => requestStream(parked, request, signal));
    stream.once('close', leave);
    return stream;
  } catch (error) {
    leave();
    throw error;
  }
}

function wasRefused(error: unknown): boolean {
  const cause = error instanceof NexusError ? error.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
