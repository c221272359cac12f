/** What is done to the system on purpose, or by others to the engine below it: what fails meanwhile is told apart. */
export type Disturbance = { readonly what: string; readonly fromMs: number; readonly toMs: number | null };

export type Disturbances = {
  readonly all: readonly Disturbance[];
  /** Returns what ends it. */
  begin(what: string): () => void;
  /** What overlapped with the time from `fromMs` until now. */
  since(fromMs: number): string[];
};

/** @param now milliseconds of a clock that never jumps */
export function createDisturbances(now: () => number): Disturbances {
  const all: { what: string; fromMs: number; toMs: number | null }[] = [];
  return {
    all,
    begin(what) {
      const disturbance: (typeof all)[number] = { what, fromMs: now(), toMs: null };
      all.push(disturbance);
      return () => void (disturbance.toMs ??= now());
    },
    since: (fromMs) => all.filter(({ toMs }) => toMs === null || toMs >= fromMs).map(({ what }) => what),
  };
}
