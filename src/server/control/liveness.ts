/** Which nodes are heard of: any sign of life counts, and silence of a certain length makes a node unreachable. */
export type Liveness = {
  heard(node: string): void;
  isReachable(node: string): boolean;
  forget(node: string): void;
  [Symbol.dispose](): void;
};

export function createLiveness(options: {
  readonly silenceMs: number;
  readonly onChange: (node: string, reachable: boolean) => void;
}): Liveness {
  const silences = new Map<string, NodeJS.Timeout>();
  function fallSilent(node: string): void {
    silences.delete(node);
    options.onChange(node, false);
  }
  return {
    heard(node) {
      const timer = silences.get(node);
      if (timer) return void timer.refresh();
      silences.set(
        node,
        setTimeout(() => fallSilent(node), options.silenceMs),
      );
      options.onChange(node, true);
    },
    isReachable: (node) => silences.has(node),
    forget(node) {
      clearTimeout(silences.get(node));
      if (silences.delete(node)) options.onChange(node, false);
    },
    [Symbol.dispose]() {
      for (const timer of silences.values()) clearTimeout(timer);
      silences.clear();
    },
  };
}
