/** The server's side of the handshake, and who may come in: a known key, or a new one with a join token. */
import type { hello, PeerToServer } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import { checkProof, joinTokenHash, serverChallenge } from '../../contract/handshake.ts';
import type { Identity } from '../../lib/identity.ts';
import { useJoinToken } from '../store/join-tokens.ts';
import { findNode, insertNode, updateNode } from '../store/nodes.ts';
import type { NodeRow } from '../store/schema.ts';
import type { Store, Tx } from '../store/store.ts';
import type { z } from 'zod';
import type { PeerConnection } from './peer-connection.ts';

type Hello = z.infer<typeof hello>;

export const handshakeTimeoutMs = 10_000;
/** The server's own name among those who open streams. */
export const reservedNames: readonly string[] = ['server'];

/**
 * Goes through the handshake up to the welcome, which the caller sends.
 * @param options.pace waited for by a peer that has joined, and may come in too often
 * @throws unauthorized when the peer is not to come in, timeout when it does not go on
 */
export async function admitPeer(
  connection: PeerConnection,
  options: { readonly identity: Identity; readonly store: Store; readonly pace: (name: string) => Promise<void> },
): Promise<NodeRow> {
  const hello = await receive(connection, 'hello');
  const challenge = serverChallenge(options.identity, hello);
  connection.send(challenge);
  const proof = await receive(connection, 'proof');
  if (!checkProof(hello, challenge, proof)) throw refused('it did not prove its key');
  const { store, pace } = options;
  const known = await findNode(store.db, hello.name);
  if (known?.public_key === hello.public_key) await pace(hello.name);
  return store.transaction((tx) => admit(tx, hello, proof.join_token));
}

async function receive<T extends PeerToServer['type']>(
  connection: PeerConnection,
  type: T,
): Promise<Extract<PeerToServer, { type: T }>> {
  const { value: message, done } = await connection.messages.next();
  if (done) throw refused('it left during the handshake');
  if (message.type !== type) throw refused(`it sent ${message.type} in place of ${type}`);
  return message as Extract<PeerToServer, { type: T }>;
}

async function admit(tx: Tx, hello: Hello, joinToken: string | undefined): Promise<NodeRow> {
  const { role, name, version, machine, public_key } = hello;
  const known = await findNode(tx, name);
  const news = { version, machine, last_heartbeat: tx.at };
  if (known?.role === role && known.public_key === public_key) {
    await updateNode(tx, name, news);
    return { ...known, ...news };
  }
  await redeemToken(tx, { hello, joinToken, known });
  // Whoever set a machine up anew joins again under the old name.
  if (!known) await insertNode(tx, { name, role, version, machine, public_key });
  await updateNode(tx, name, { ...news, public_key });
  const row = await findNode(tx, name);
  if (!row) throw refused('it was removed');
  return row;
}

async function redeemToken(
  tx: Tx,
  { hello, joinToken, known }: { hello: Hello; joinToken: string | undefined; known: NodeRow | undefined },
): Promise<void> {
  const { role, name } = hello;
  if (joinToken === undefined) {
    throw refused(known ? 'it has another key than the one that joined' : 'it has not joined: nexus node add');
  }
  const token = await useJoinToken(tx, joinTokenHash(joinToken));
  if (!token) throw refused('the join token is unknown, used or too old');
  if (token.role !== role || token.name !== name || (known && known.role !== role)) {
    throw refused(`the join token is for the ${token.role} ${token.name}`);
  }
  if (reservedNames.includes(name)) throw refused(`${name} is a name of the server's own`);
}

function refused(reason: string): NexusError {
  return new NexusError('unauthorized', { reason });
}
