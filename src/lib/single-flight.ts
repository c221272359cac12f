/**
 * Calls of the same key that overlap share one run: whoever comes while it runs gets its result. Nothing is
 * cached: after it has settled, the next call runs anew.
 */
export type SingleFlight = <T>(key: string, run: () => Promise<T>) => Promise<T>;

export function createSingleFlight(): SingleFlight {
  const running = new Map<string, Promise<unknown>>();
  return <T>(key: string, run: () => Promise<T>): Promise<T> => {
    const shared = running.get(key);
    if (shared) return shared as Promise<T>;
    const flight = run().finally(() => running.delete(key));
    running.set(key, flight);
    return flight;
  };
}
