/** The cluster that an agent has joined, as it was told last and as it is kept on the disk, and its work for it. */
import type { Welcome } from '../contract/control-client.ts';
import type { ServerToPeer } from '../contract/control-protocol.ts';
import type { StreamTarget } from '../contract/stream-client.ts';
import type { Logger } from '../lib/log.ts';
import { loadClusterId, loadStreamTarget, saveClusterId, saveStreamTarget } from './agent-files.ts';
import type { NodeAgent } from './node-agent.ts';

export type Membership = AsyncDisposable & {
  readonly health: NodeAgent['health'];
  /** The server may be that of another cluster by now: what is of the former one is let be. */
  welcomed(welcome: Welcome): void;
  take(message: ServerToPeer): void;
};

/** Works at once for the cluster that is known from before. */
export async function openMembership({
  stateDir,
  openNode,
  log,
}: {
  readonly stateDir: string;
  readonly openNode: (clusterId: string, streamTarget: () => StreamTarget | null) => NodeAgent;
  readonly log: Logger;
}): Promise<Membership> {
  let clusterId = await loadClusterId(stateDir);
  let streams = await loadStreamTarget(stateDir);
  let node = clusterId === null ? null : openNode(clusterId, () => streams);

  function join(cluster: string): void {
    clusterId = cluster;
    keep(saveClusterId(stateDir, cluster));
    void node?.[Symbol.asyncDispose]();
    node = openNode(cluster, () => streams);
  }

  function park(target: StreamTarget | null): void {
    streams = target;
    node?.retarget();
    keep(saveStreamTarget(stateDir, target));
  }

  function keep(saving: Promise<void>): void {
    saving.catch((error: unknown) => log.error({ err: error }, 'cannot be kept'));
  }

  return {
    get health() {
      return node?.health;
    },
    welcomed(welcome) {
      if (clusterId !== welcome.cluster_id) join(welcome.cluster_id);
      park(welcome.streams);
      node?.announce();
    },
    take(message) {
      if (message.type === 'streams') park(message.streams);
      else node?.take(message);
    },
    async [Symbol.asyncDispose]() {
      await node?.[Symbol.asyncDispose]();
    },
  };
}
