/** The server's end of all control connections: who is connected, what they say, what they are told. */
import type { WebSocket } from 'ws';
import type { AgentCommand, GitCredential, Observation, RoutingTable } from '../../contract/control-protocol.ts';
import { newId } from '../../contract/ids.ts';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import type { Peers } from '../collaborators.ts';
import type { CommandOptions } from './command-line.ts';
import { converse } from './converse.ts';
import { createDoor } from './door.ts';
import { openHubParts, type HubOptions } from './hub-parts.ts';
import { peerConnection } from './peer-connection.ts';
import type { PeerEvents } from './peer-events.ts';
import type { StreamAddress } from './stream-address.ts';

export type Hub = Peers &
  Disposable & {
    readonly events: Pick<PeerEvents, 'listen'>;
    /** Takes a WebSocket at the control path; must be called in the turn in which it was accepted. */
    accept(socket: WebSocket): void;
    /** Does a command of the journal. */
    run(
      node: string,
      operation: { readonly id: string; readonly command: AgentCommand },
      options: Pick<CommandOptions, 'timeoutMs' | 'onProgress'>,
    ): Promise<Observation>;
    /** The answers to these were written down. */
    forget(node: string, ids: readonly string[]): void;
    isReachable(node: string): boolean;
    /** Of any peer that is connected now. */
    versionOf(name: string): string | null;
    /** The gateway works by this table from now on, whenever it is there. */
    sendRoutes(table: RoutingTable): void;
    /** All that the node is lent from now on. Returns whether it is there to be told. */
    sendGitCredentials(node: string, credentials: readonly GitCredential[]): boolean;
    /** Where the server finds the gateway's stream port; null until a gateway was there for the first time. */
    streamAddress(): StreamAddress | null;
  };

export async function createHub(options: HubOptions): Promise<Hub> {
  const parts = await openHubParts(options);
  const { peers, nodes, commands, streams, events, log } = parts;
  const door = createDoor(options);
  return {
    events,
    accept(socket) {
      const connection = peerConnection(socket);
      door
        .admit(connection, socket)
        .then((row) => converse(parts, row, connection))
        .catch((thrown: unknown) => {
          const error = toNexusError(thrown);
          log.warn({ err: error }, 'a control connection was ended');
          connection.send({ type: 'refused', error: error.toBody() });
          connection.close(error.code);
        });
    },
    run: (node, operation, how) => commands.run(node, operation, { ...how, patience: 'for_ever' }),
    async command(node, command, { timeoutMs }) {
      if (!nodes.isReachable(node)) throw new NexusError('node_unreachable', { node });
      const id = newId('op');
      return commands
        .run(node, { id, command }, { timeoutMs, patience: 'while_reachable' })
        .finally(() => peers.tell(node, { type: 'forget', ids: [id] }));
    },
    forget: (node, ids) => void peers.tell(node, { type: 'forget', ids: [...ids] }),
    disconnect(node) {
      peers.find(node)?.connection.close('the node was removed');
      nodes.forget(node);
    },
    nodeConnected: (node) => nodes.isReachable(node),
    instancesOn: (node) => nodes.instancesOn(node),
    hasHeardOf: (node) => nodes.hasHeardOf(node),
    isReachable: (node) => nodes.isReachable(node),
    versionOf: (name) => peers.find(name)?.row.version ?? null,
    gateway() {
      const [gateway] = peers.withRole('gateway');
      return { connected: gateway !== undefined, version: gateway?.row.version ?? null };
    },
    sendRoutes(table) {
      parts.table = table;
      for (const { connection } of peers.withRole('gateway')) connection.send({ type: 'routes', table });
    },
    sendGitCredentials: (node, credentials) =>
      peers.tell(node, { type: 'git_credentials', credentials: [...credentials] }),
    streamAddress: () => streams.from(options.machine),
    [Symbol.dispose]() {
      nodes[Symbol.dispose]();
      peers.terminateAll();
    },
  };
}
