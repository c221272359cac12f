/** Values that are taken once, within their time; no more than so many at once: the oldest go first. */
export type Expiring<T> = { put(key: string, value: T, forMs: number): void; take(key: string): T | undefined };

export function createExpiring<T>({ most, now }: { most: number; now: () => Date }): Expiring<T> {
  const kept = new Map<string, { value: T; until: number }>();
  return {
    put(key, value, forMs) {
      kept.set(key, { value, until: now().getTime() + forMs });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    take(key) {
      const found = kept.get(key);
      kept.delete(key);
      return found && found.until > now().getTime() ? found.value : undefined;
    },
  };
}
