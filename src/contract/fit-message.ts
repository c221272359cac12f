/**
 * What a peer says, brought into the bounds of the protocol before it is sent. Much of it comes out of workspaces, whose
 * owners are root there: what one of them makes up must not cost the node its connection.
 */
import { maxPeerMessageBytes, peerToServer, type PeerToServer } from './control-protocol.ts';
import { NexusError } from './errors.ts';

/** As JSON; null when nothing of it can be said. An answer that cannot be given becomes one that says so. */
export function fitMessage(message: PeerToServer): string | null {
  const json = asJson(message);
  if (json !== null) return json;
  if (message.type === 'heartbeat') return JSON.stringify({ type: 'heartbeat' });
  if (message.type !== 'answer') return null;
  const reason = 'what was seen in the workspace is too large or makes no sense';
  const error = new NexusError('stream_failed', { reason }).toBody();
  return JSON.stringify({ type: 'answer', id: message.id, ok: false, error });
}

function asJson(message: PeerToServer): string | null {
  const json = JSON.stringify(message);
  if (Buffer.byteLength(json) > maxPeerMessageBytes) return null;
  // Read back: a number that is none (NaN) is another thing in JSON.
  return peerToServer.safeParse(JSON.parse(json)).success ? json : null;
}
