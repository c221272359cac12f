import { withoutInstance } from '../../core/plan/without-instance.ts';
import type { Executor } from './command-context.ts';

/** From every engine, so that nothing is left whatever was asked for before. */
export const removeInstance: Executor<'remove_instance'> = async ({ workspace_id: id }, context) => {
  context.monitors.forget(id);
  await Promise.all([...context.providers.values()].map((provider) => provider.remove(id)));
  await context.gitDesk.close(id);
  context.neverStarted.delete(id);
  await context.records.remove(id);
  return withoutInstance(id, context.machine);
};
