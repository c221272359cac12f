import type { ServerConfig } from '../../contract/server-config.ts';
import type { Candidate } from '../../core/placement.ts';
import type { Logger } from '../../lib/log.ts';
import type { Hub } from '../control/hub.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';

/** What the loop of every workspace works with. */
export type LoopDeps = {
  readonly store: Store;
  readonly hub: Pick<Hub, 'run' | 'forget' | 'isReachable'>;
  readonly config: Pick<ServerConfig, 'limits' | 'github' | 'auth' | 'ports' | 'public_host'>;
  readonly now: () => Date;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'workspaceCreated' | 'serviceStarted'>;
  /** The nodes, for a workspace that has none yet. */
  fleet(): Promise<readonly Candidate[]>;
  /** Ports that another process of the gateway's host has, and what the gateway said of each. */
  occupiedPorts(): ReadonlyMap<number, string>;
  /** The gateway's routes may have changed. */
  routesChanged(): void;
  /** Returns when what the node is lent for git is on its way to it. */
  lendGit(node: string): Promise<void>;
  /** Brings the uploaded repository into the instance. */
  sendUpload(node: string, workspaceId: string): Promise<void>;
  dropUpload(workspaceId: string): Promise<void>;
};
