/** Texts that count as members for a while, and no more than so many of them: the oldest go first. */
export type RecentSet = { add(text: string): void; has(text: string): boolean; size(): number };

export function createRecentSet(options: { forMs: number; most: number; now: () => Date }): RecentSet {
  const { forMs, most, now } = options;
  const until = new Map<string, number>();
  return {
    add(text) {
      until.delete(text);
      until.set(text, now().getTime() + forMs);
      const [oldest] = until.keys();
      if (until.size > most && oldest !== undefined) until.delete(oldest);
    },
    has(text) {
      const end = until.get(text);
      if (end !== undefined && end > now().getTime()) return true;
      until.delete(text);
      return false;
    },
    size() {
      // In the order in which they were added, and so in that in which they end.
      for (const [text, end] of until) {
        if (end > now().getTime()) break;
        until.delete(text);
      }
      return until.size;
    },
  };
}
