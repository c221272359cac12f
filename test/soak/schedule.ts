import { createRandom } from './random.ts';

export type Role = 'server' | 'agent' | 'gateway';
export const roles: readonly Role[] = ['server', 'agent', 'gateway'];

export type Kill = { readonly atMs: number; readonly roles: readonly [Role, ...Role[]] };

/** The server and the agent more often than the gateway, whose kill ends the sessions that are to be watched. */
const victims: readonly [Kill['roles'], ...Kill['roles'][]] = [
  ['server'],
  ['agent'],
  ['server'],
  ['agent'],
  ['gateway'],
  ['server', 'agent'],
  ['server', 'agent', 'gateway'],
];

/**
 * When who is killed, in ms from the start of the load. Gaps are between half and one and a half of `everyMs`; the last
 * third of the time is left alone, so that processes grow old enough to show what they keep.
 * @param everyMs 0: nobody is killed
 */
export function killSchedule(options: { seed: number; durationMs: number; everyMs: number }): Kill[] {
  const { seed, durationMs, everyMs } = options;
  if (everyMs === 0) return [];
  const random = createRandom(seed);
  const kills: Kill[] = [];
  const until = (durationMs * 2) / 3;
  for (let atMs = gap(); atMs < until; atMs += gap()) kills.push({ atMs, roles: random.pick(victims) });
  return kills;

  function gap(): number {
    return Math.round(random.between(0.5, 1.5) * everyMs);
  }
}
