import { NexusError } from '../../contract/errors.ts';
import { existingInstance, runningInstance, type Executor } from './command-context.ts';
import { noFacts } from '../marks.ts';
import { describe, observeWorkspace } from '../observe-workspace.ts';

export const startInstance: Executor<'start_instance'> = async ({ workspace_id: id }, context) => {
  const { provider, instance } = await existingInstance(context, id);
  if (instance.state === 'running') return observeWorkspace(context, id);
  await provider.start(id);
  if (!context.neverStarted.delete(id)) return observeWorkspace(context, id);
  const started = await runningInstance(context, id).catch((cause) => {
    throw new NexusError('container_start_failed', { instance: id, reason: 'it stopped again at once' }, { cause });
  });
  return describe(context, started, noFacts);
};
