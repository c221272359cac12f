import type { AgentCommand } from '../../contract/control-protocol.ts';

/** Tasks of one lane run one after another; a failed task does not hold up the next. */
export type Lanes = <T>(lane: string, task: () => Promise<T>) => Promise<T>;

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<unknown>>();
  return async (lane, task) => {
    const before = tails.get(lane) ?? Promise.resolve();
    const result = before.then(task);
    const tail = result.catch(() => undefined);
    tails.set(lane, tail);
    try {
      return await result;
    } finally {
      if (tails.get(lane) === tail) tails.delete(lane);
    }
  };
}

/**
 * What may not run at the same time as another command of the workspace has its lane. A stop or a removal does not
 * wait for a clone or a hook: these end with their instance, and say so.
 */
export function laneOf(command: AgentCommand): string {
  const id = command.workspace_id;
  switch (command.do) {
    case 'create_instance':
    case 'start_instance':
    case 'stop_instance':
    case 'remove_instance':
      return `${id} instance`;
    case 'clone':
    case 'read_config':
    case 'run_hook':
      return `${id} repository`;
    case 'start_service':
      return `${id} service ${command.service.name}`;
    case 'stop_service':
      return `${id} service ${command.service}`;
    case 'observe':
    case 'ensure_base':
    case 'configure':
      return `${id} ${command.do}`;
  }
}
