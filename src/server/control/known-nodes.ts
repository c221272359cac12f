/** What nodes let be known of themselves: that they are there, and which workspaces have an instance there. */
import { createLiveness } from './liveness.ts';

export type KnownNodes = Disposable & {
  /** It gives a sign of life. */
  heard(node: string): void;
  /** It has the time to give its first sign of life before it is called unreachable. */
  expect(node: string): void;
  isReachable(node: string): boolean;
  /** Since the server started. */
  hasHeardOf(node: string): boolean;
  /** It has instances of these workspaces, and no others. */
  hasInstances(node: string, workspaceIds: readonly string[]): void;
  instanceRemoved(node: string, workspaceId: string): void;
  /** Ids of workspaces. */
  instancesOn(node: string): string[];
  forget(node: string): void;
};

export function createKnownNodes(options: {
  readonly silenceMs: number;
  readonly onReachability: (node: string, reachable: boolean) => void;
}): KnownNodes {
  const heardOf = new Set<string>();
  const instances = new Map<string, Set<string>>();
  const liveness = createLiveness({ silenceMs: options.silenceMs, onChange: options.onReachability });
  return {
    heard(node) {
      heardOf.add(node);
      liveness.heard(node);
    },
    expect: (node) => liveness.heard(node),
    isReachable: (node) => liveness.isReachable(node),
    hasHeardOf: (node) => heardOf.has(node),
    hasInstances: (node, workspaceIds) => void instances.set(node, new Set(workspaceIds)),
    instanceRemoved: (node, workspaceId) => void instances.get(node)?.delete(workspaceId),
    instancesOn: (node) => [...(instances.get(node) ?? [])],
    forget(node) {
      heardOf.delete(node);
      instances.delete(node);
      liveness.forget(node);
    },
    [Symbol.dispose]: () => liveness[Symbol.dispose](),
  };
}
