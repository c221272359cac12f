/** A loop for every workspace, made when something first concerns it. */
import { NexusError } from '../../contract/errors.ts';
import { allWorkspaces, workspacesOnNode } from '../store/workspaces.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createWorkspaceLoop, type WorkspaceLoop } from './workspace-loop.ts';

export type WorkspaceLoops = {
  /** @throws shutting_down */
  of(id: string): WorkspaceLoop;
  onNode(node: string, tell: (loop: WorkspaceLoop, id: string) => void): Promise<void>;
  wakeAll(): Promise<void>;
  /** Those that have no node yet. */
  wakeUnplaced(): Promise<void>;
  /** How many are not known to be at rest. */
  busy(): number;
  end(): void;
};

export function createWorkspaceLoops(deps: LoopDeps): WorkspaceLoops {
  const { db } = deps.store;
  const loops = new Map<string, WorkspaceLoop>();
  const ended = new AbortController();

  function of(id: string): WorkspaceLoop {
    if (ended.signal.aborted) throw new NexusError('shutting_down', {});
    const known = loops.get(id);
    if (known) return known;
    const loop = createWorkspaceLoop(id, deps, { onGone: () => void (loops.get(id) === loop && loops.delete(id)) });
    loops.set(id, loop);
    return loop;
  }

  return {
    of,
    async onNode(node, tell) {
      for (const { id } of await workspacesOnNode(db, node)) tell(of(id), id);
    },
    async wakeAll() {
      for (const { id } of await allWorkspaces(db)) of(id).wake();
    },
    async wakeUnplaced() {
      const unplaced = await db.selectFrom('workspaces').select('id').where('node', 'is', null).execute();
      for (const { id } of unplaced) of(id).wake();
    },
    busy: () => [...loops.values()].filter((loop) => !loop.isAtRest).length,
    end() {
      ended.abort();
      for (const loop of loops.values()) loop.end();
    },
  };
}
