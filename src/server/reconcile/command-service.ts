import { NexusError } from '../../contract/errors.ts';
import { startService, stopService } from '../../core/plan/commands.ts';
import { updateService } from '../store/services.ts';
import type { LoopDeps } from './loop-deps.ts';
import type { OperationRunner } from './operation-runner.ts';
import { readWorkspace } from './read-want.ts';
import type { SteadyTimes } from './steady-times.ts';

export type ServiceAction = 'start' | 'stop' | 'restart';

/**
 * Starts, stops or restarts one service, whatever it depends on: who asks for it knows.
 * @throws not_found, workspace_not_running, node_unreachable, or the agent's error
 */
export async function commandService(
  id: string,
  { service, action }: { readonly service: string; readonly action: ServiceAction },
  {
    store,
    hub,
    config,
    runner,
    times,
  }: Pick<LoopDeps, 'store' | 'hub' | 'config'> & {
    readonly runner: OperationRunner;
    readonly times: SteadyTimes;
  },
): Promise<void> {
  const state = await readWorkspace(store.db, id, { ...config, times });
  const wanted = state?.want.services.find(({ spec }) => spec.name === service);
  if (!state || !wanted) throw new NexusError('not_found', { kind: 'service', name: service, workspace: id });
  const { want, row } = state;
  const { node } = want;
  if (want.state !== 'running' || !want.config) {
    throw new NexusError('workspace_not_running', { name: want.name, status: want.status });
  }
  if (node === null || !hub.isReachable(node)) throw new NexusError('node_unreachable', { node: node ?? 'of its own' });
  const news = { want: action === 'stop' ? 'stopped' : 'running' } as const;
  await store.transaction((tx) => updateService(tx, id, service, news));
  const stop = action === 'start' ? [] : [stopService(want, service)];
  const start = action === 'stop' ? [] : [startService(want, wanted.spec)];
  for (const command of [...stop, ...start]) {
    const operations = await store.transaction((tx) => runner.enter(tx, node, [command], row.generation));
    for (const operation of operations) {
      const outcome = await runner.run(operation);
      if ('error' in outcome) throw outcome.error;
    }
  }
}
