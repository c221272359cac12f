/**
 * `make chaos`: kill -9 of server, agent and gateway at seeded random moments, on the compiled program. Needs root, the
 * engine and the base of debian:12 (`nexus node setup`).
 */
import { parseArgs } from 'node:util';
import { compiledProgram } from '../support/programs.ts';
import { runChaos } from './chaos.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, kills: { type: 'string', default: '120' } } });
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const kills = Number(values.kills);
if (!Number.isInteger(seed) || !Number.isInteger(kills) || kills < 1) {
  console.error('usage: node test/chaos/run.ts [--seed N] [--kills N]');
  process.exit(2);
}

const again = `make chaos SEED=${seed} KILLS=${kills}`;
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));
const startedAt = performance.now();
console.log(`seed ${seed}, ${kills} kills`);
try {
  const result = await runChaos({
    program: compiledProgram,
    seed,
    kills,
    report: console.log,
    signal: interrupted.signal,
  });
  const { server, agent, gateway } = result.byRole;
  console.log(
    `\nseed ${seed}: ${result.kills} kills (of the server ${server}, the agent ${agent}, the gateway ${gateway}) in ` +
      `${Math.round((performance.now() - startedAt) / 1000)} s; every workspace became what was asked for, in ` +
      `${(result.slowestSettleMs / 1000).toFixed(1)} s at most; nothing left over; the SSH session outlived ` +
      `${result.sessionOutlived} of ${result.sessionOutlived} kills that spared the gateway`,
  );
} catch (error) {
  for (let cause: unknown = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined)
    console.error(cause instanceof Error ? cause.stack : cause);
  console.error(`\nFAILED. The same seed again: ${again}`);
  process.exit(1);
}
