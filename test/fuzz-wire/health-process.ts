/** Asks for health every 25 ms and prints how many milliseconds each answer took: a process of its own, which no attack holds up. */
import { setTimeout as delay } from 'node:timers/promises';

const url = process.argv[2] ?? '';
for (;;) {
  const start = performance.now();
  await (await fetch(`${url}/health`)).text();
  process.stdout.write(`${Math.round(performance.now() - start)}\n`);
  await delay(25);
}
