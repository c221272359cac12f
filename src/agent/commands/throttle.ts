/**
 * Passes on at most one value in `everyMs`: the first at once, of those that follow too soon the last, when it is time.
 * What comes after the end is dropped.
 */
export function createThrottle<T>(
  everyMs: number,
  pass: (value: T) => void,
): { readonly push: (value: T) => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | null = null;
  let waiting: { readonly value: T } | null = null;
  let isEnded = false;

  function onTime(): void {
    timer = null;
    if (waiting) passNow(waiting.value);
  }

  function passNow(value: T): void {
    waiting = null;
    timer = setTimeout(onTime, everyMs);
    timer.unref();
    pass(value);
  }

  return {
    push(value) {
      if (isEnded) return;
      if (timer) waiting = { value };
      else passNow(value);
    },
    /** What still waits is passed on. */
    end() {
      isEnded = true;
      if (timer) clearTimeout(timer);
      timer = null;
      if (waiting) pass(waiting.value);
      waiting = null;
    },
  };
}
