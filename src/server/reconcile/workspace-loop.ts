/** Keeps one workspace what it should be, one thing after the other, whenever something changed or its time has come. */
import { NexusError } from '../../contract/errors.ts';
import type { ServiceAction } from './command-service.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createSettleWaiters, type SettleOptions } from './settle-waiters.ts';
import { createSteadyTimes } from './steady-times.ts';
import { createWakeLoop, type Next } from './wake-loop.ts';
import { createWorkspaceKeeper, type WorkspaceKeeper } from './workspace-keeper.ts';

export type WorkspaceLoop = Pick<WorkspaceKeeper, 'reported' | 'servicesReported' | 'isAtRest'> & {
  /** Look at it soon. */
  wake(): void;
  /** What was seen may not be so any more: look at it anew. */
  invalidate(): void;
  settled(options: SettleOptions): Promise<void>;
  serviceCommand(service: string, action: ServiceAction): Promise<void>;
  /** Ends the loop; what is under way at the node goes on there. */
  end(): void;
};

export function createWorkspaceLoop(
  id: string,
  deps: LoopDeps,
  options: { readonly onGone: () => void },
): WorkspaceLoop {
  const waiters = createSettleWaiters(id);
  const times = createSteadyTimes(deps.now);
  const keeper = createWorkspaceKeeper(id, deps, { times, onNews: () => loop.wake() });
  const loop = createWakeLoop(look, {
    now: () => times.now(),
    onError: (error) => deps.log.error({ err: error, workspace: id }, 'a workspace could not be looked at'),
  });
  let pass = 0;

  async function look(): Promise<Next> {
    pass += 1;
    const number = pass;
    const next = await keeper.pass({
      onWant: (want) => waiters.wanted(want),
      onConclusion: (error) => waiters.conclude(number, error),
    });
    if (next !== 'gone') return next;
    loop.end();
    waiters.conclude(Infinity, null);
    options.onGone();
    return null;
  }

  return {
    wake: () => loop.wake(),
    invalidate() {
      keeper.invalidate();
      loop.wake();
    },
    reported: (state) => keeper.reported(state),
    servicesReported: (services) => keeper.servicesReported(services),
    settled(how) {
      const done = waiters.wait({ pass, ...how });
      loop.wake();
      return done;
    },
    serviceCommand(service, action) {
      return loop.between(() => keeper.commandService(service, action)).finally(() => loop.wake());
    },
    get isAtRest() {
      return keeper.isAtRest;
    },
    end() {
      loop.end();
      waiters.conclude(Infinity, new NexusError('shutting_down', {}));
    },
  };
}
