/** Lets so many in for each key at a time. */
export type Crowd = {
  /** Returns what must be called when it has left; null: there are enough. */
  enter(key: number): (() => void) | null;
};

export function createCrowd(most: number): Crowd {
  const counts = new Map<number, number>();
  return {
    enter(key) {
      const count = counts.get(key) ?? 0;
      if (count >= most) return null;
      counts.set(key, count + 1);
      return () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      };
    },
  };
}
