import type { Logger } from '../lib/log.ts';
import type { SeenInstance } from './instance-watch.ts';

/**
 * What follows from a change among the instances: one that runs (again) is looked into, so that its services, if it
 * has any, are watched; one that does not is forgotten.
 */
export function createInstanceNews(options: {
  readonly lookInto: (id: string) => Promise<unknown>;
  readonly forget: (id: string) => void;
  readonly log: Logger;
}): (seen: readonly SeenInstance[]) => void {
  const { lookInto, forget, log } = options;
  const looked = new Set<string>();
  return (seen) => {
    const running = new Set(
      seen.filter(({ instance }) => instance.state === 'running').map(({ instance }) => instance.id),
    );
    for (const id of looked.difference(running)) {
      looked.delete(id);
      forget(id);
    }
    for (const id of running.difference(looked)) {
      looked.add(id);
      lookInto(id).catch((error: unknown) => {
        looked.delete(id);
        log.warn({ err: error, workspace: id }, 'cannot be looked into');
      });
    }
  };
}
