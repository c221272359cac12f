import type { Executor } from './command-context.ts';
import { observeWorkspace } from '../observe-workspace.ts';

/** A monitor that has just begun needs that long for its first probes. */
const firstProbesMs = 1_500;

export const observe: Executor<'observe'> = async ({ workspace_id: id }, context) => {
  const seen = await observeWorkspace(context, id);
  if (seen.services.length === 0) return seen;
  await context.monitors.complete(id, { timeoutMs: firstProbesMs });
  return { ...seen, services: context.monitors.current(id) };
};
