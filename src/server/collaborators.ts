/** How the parts of the server see each other; `run.ts` joins them. */
import type { Duplex } from 'node:stream';
import type { AgentCommand, Observation } from '../contract/control-protocol.ts';
import type { StreamRequest } from '../contract/stream-protocol.ts';

export type Reconciler = {
  /** Something about the workspace changed: look at it soon. */
  nudge(workspaceId: string): void;
  /**
   * Resolves when the workspace is what it should be (or is gone), rejects with the NexusError that stopped it, or
   * with `timeout` (the work goes on). With `want`: also when somebody asked for something else since.
   */
  settled(
    workspaceId: string,
    options: { timeoutMs: number; signal?: AbortSignal; want?: 'running' | 'stopped' | 'deleted' },
  ): Promise<void>;
  /**
   * Ports changed: sends the routing table, and resolves with the ports of it that another process of the host has: when the gateway
   * has answered, or with those known so far when it does not in time.
   */
  routesApplied(): Promise<ReadonlySet<number>>;
  /** Sends the owner's new keys to the running workspaces; resolves when they accept them. */
  keysChanged(userId: string): Promise<void>;
  /** Starts, stops or restarts one service; resolves when its node did it. */
  serviceCommand(workspaceId: string, service: string, action: 'start' | 'stop' | 'restart'): Promise<void>;
  /** How many workspaces are not yet what they should be. */
  queueLength(): number;
};

/** Connected agents and the gateway. */
export type Peers = {
  nodeConnected(node: string): boolean;
  /** Ids of the workspaces that have an instance there, as the node told last. */
  instancesOn(node: string): readonly string[];
  /** Since the server started. */
  hasHeardOf(node: string): boolean;
  gateway(): { connected: boolean; version: string | null };
  /** Sends a command and waits for its answer, over losses of the connection. @throws node_unreachable, timeout, or the agent's error */
  command(node: string, command: AgentCommand, options: { timeoutMs: number }): Promise<Observation>;
  /** Forgets a node: closes its connection. */
  disconnect(node: string): void;
};

/** Opens a byte stream to a workspace's agent through the gateway. @throws stream_failed, node_unreachable, or the agent's error */
export type OpenStream = (node: string, request: StreamRequest, options?: { signal?: AbortSignal }) => Promise<Duplex>;
