import { findInstance, type Executor } from './command-context.ts';
import { observeWorkspace } from '../observe-workspace.ts';

/** Longer than services have for their end (TimeoutStopSec of their units). */
const cleanStopMs = 25_000;

export const stopInstance: Executor<'stop_instance'> = async ({ workspace_id: id, force }, context) => {
  const found = await findInstance(context, id);
  await found?.provider.stop(id, { timeoutMs: cleanStopMs, force });
  context.monitors.forget(id);
  return observeWorkspace(context, id);
};
