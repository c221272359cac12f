import { NexusError } from '../contract/errors.ts';
import { openStream } from '../contract/stream-client.ts';
import type { OpenStream } from './collaborators.ts';
import type { Hub } from './control/hub.ts';

const timeoutMs = 15_000;

/** Streams of the server go through the gateway, whose key for the server is `key`. */
export function openStreamThrough(hub: Pick<Hub, 'isReachable' | 'streamAddress'>, key: string): OpenStream {
  return async (node, request, { signal } = {}) => {
    if (!hub.isReachable(node)) throw new NexusError('node_unreachable', { node });
    const address = hub.streamAddress();
    if (!address) throw new NexusError('stream_failed', { reason: 'no gateway has connected to the server yet' });
    return openStream({ ...address, key }, { as: 'server', node }, request, { signal, timeoutMs });
  };
}
