/** What was last seen of one workspace. Looking changes nothing, so it is not in the journal. */
import type { Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { toNexusError } from '../../contract/errors.ts';
import { newId } from '../../contract/ids.ts';
import type { Seen } from '../../core/plan/plan-types.ts';
import { findWorkspace } from '../store/workspaces.ts';
import { commandTimeoutMs } from './command-timeouts.ts';
import type { LoopDeps } from './loop-deps.ts';
import type { SteadyTimes } from './steady-times.ts';
import { writeObservation } from './take-answer.ts';

export type Observer = {
  /** Null: unknown, or not so for certain any more. */
  readonly observation: Observation | null;
  readonly blind: Seen['blind'];
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

export function createObserver(
  id: string,
  { store, hub, log, routesChanged }: Pick<LoopDeps, 'store' | 'hub' | 'log' | 'routesChanged'>,
  { times, onSeen }: { readonly times: Pick<SteadyTimes, 'now'>; readonly onSeen: () => void },
): Observer {
  let observation: Observation | null = null;
  let blind: Seen['blind'] = null;
  let isLooking = false;
  let isDoubted = false;

  async function ask(node: string): Promise<void> {
    const operation = newId('op');
    const command = { do: 'observe', workspace_id: id } as const;
    isDoubted = false;
    try {
      const seen = await hub.run(node, { id: operation, command }, { timeoutMs: commandTimeoutMs.observe });
      // It may have waited in a journal since before the connection was lost.
      observation = isDoubted ? null : seen;
      blind = null;
    } catch (thrown) {
      const error = toNexusError(thrown).toBody();
      blind = { error, attempts: (blind?.attempts ?? 0) + 1, atMs: times.now() };
    }
    hub.forget(node, [operation]);
    if (observation) await write(observation);
  }

  async function write(seen: Observation): Promise<void> {
    const isRouteNew = await store.transaction(async (tx) => {
      const row = await findWorkspace(tx, id);
      return row !== undefined && writeObservation(tx, row, seen);
    });
    if (isRouteNew) routesChanged();
  }

  return {
    get observation() {
      return observation;
    },
    get blind() {
      return blind;
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
      observation = null;
      blind = null;
    },
    forgive() {
      blind = null;
    },
    take(seen) {
      observation = seen;
      blind = null;
    },
    reported(state) {
      if (!observation || observation.instance === (state ?? 'absent')) return;
      observation = null;
      onSeen();
    },
    servicesReported(services) {
      if (!observation) return;
      observation = { ...observation, services: [...services] };
      onSeen();
    },
  };
}
