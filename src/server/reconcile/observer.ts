/** What was last seen of one workspace. Looking changes nothing, so it is not in the journal. */
import type { Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { toNexusError } from '../../contract/errors.ts';
import { newId } from '../../contract/ids.ts';
import type { Seen } from '../../core/plan/plan-types.ts';
import type { Tx } from '../store/store.ts';
import { findWorkspace } from '../store/workspaces.ts';
import { commandTimeoutMs } from './command-timeouts.ts';
import type { LoopDeps } from './loop-deps.ts';
import type { SteadyTimes } from './steady-times.ts';
import { writeObservation } from './take-answer.ts';

type Known = {
  /** Null: unknown, or not so for certain any more. */
  readonly observation: Observation | null;
  readonly blind: Seen['blind'];
};

export type Observer = {
  readonly known: Known;
  /** Asks the node, unless it is asked already; `onSeen` follows. */
  look(node: string): void;
  /** What was seen may not be so any more, and what is being looked at neither. */
  invalidate(): void;
  /** What was in the way of looking counts no more: somebody wants something anew. */
  forgive(): void;
  /** A command's answer: what was afterwards, or null after a failure. */
  take(seen: Observation | null): void;
  /** Its node says in which state the instance is (null: there is none). */
  reported(state: 'stopped' | 'running' | null): void;
  servicesReported(services: readonly ServiceReport[]): void;
};

const nothing: Known = { observation: null, blind: null };

export function createObserver(
  id: string,
  { store, hub, log, routesChanged }: Pick<LoopDeps, 'store' | 'hub' | 'log' | 'routesChanged'>,
  { times, onSeen }: { readonly times: Pick<SteadyTimes, 'now'>; readonly onSeen: () => void },
): Observer {
  let known = nothing;
  let isLooking = false;
  let isDoubted = false;

  async function ask(node: string): Promise<void> {
    isDoubted = false;
    try {
      const seen = await observe(hub, node, id);
      // It may have waited in a journal since before the connection was lost.
      known = { observation: isDoubted ? null : seen, blind: null };
    } catch (thrown) {
      const error = toNexusError(thrown).toBody();
      known = { ...known, blind: { error, attempts: (known.blind?.attempts ?? 0) + 1, atMs: times.now() } };
    }
    const { observation: seen } = known;
    if (seen && (await store.transaction((tx) => writeSeen(tx, id, seen)))) routesChanged();
  }

  return {
    get known() {
      return known;
    },
    look(node) {
      if (isLooking) return;
      isLooking = true;
      ask(node)
        .catch((error: unknown) => log.error({ err: error, workspace: id }, 'what was seen could not be written down'))
        .finally(() => {
          isLooking = false;
          onSeen();
        });
    },
    invalidate() {
      isDoubted = true;
      known = nothing;
    },
    forgive() {
      known = { ...known, blind: null };
    },
    take(seen) {
      known = { observation: seen, blind: null };
    },
    reported(state) {
      if (!known.observation || known.observation.instance === (state ?? 'absent')) return;
      known = { ...known, observation: null };
      onSeen();
    },
    servicesReported(services) {
      if (!known.observation) return;
      known = { ...known, observation: { ...known.observation, services: [...services] } };
      onSeen();
    },
  };
}

/** @throws timeout, or the agent's error */
async function observe(hub: LoopDeps['hub'], node: string, workspaceId: string): Promise<Observation> {
  const id = newId('op');
  const command = { do: 'observe', workspace_id: workspaceId } as const;
  try {
    return await hub.run(node, { id, command }, { timeoutMs: commandTimeoutMs.observe });
  } finally {
    hub.forget(node, [id]);
  }
}

/** Returns whether the gateway's routes may have changed by it. */
async function writeSeen(tx: Tx, workspaceId: string, seen: Observation): Promise<boolean> {
  const row = await findWorkspace(tx, workspaceId);
  return row !== undefined && writeObservation(tx, row, seen);
}
