import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `send` so many times a second, come what may: a request waits for none before it. Its time counts from the
 * moment at which it was due, so that one slow answer shows in all that it holds up. (It includes the lateness of this
 * process' own timer, a millisecond.) Returns the times in milliseconds.
 */
export async function openLoop(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  send: (index: number) => Promise<void>,
): Promise<number[]> {
  const total = perSecond * seconds;
  const start = performance.now();
  const times: Promise<number>[] = [];
  while (times.length < total) {
    const dueAt = start + (times.length * 1000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) {
      await delay(early);
      continue;
    }
    const time = send(times.length).then(() => performance.now() - dueAt);
    time.catch(() => undefined); // it is heard of below, when all were sent
    times.push(time);
  }
  return Promise.all(times);
}
