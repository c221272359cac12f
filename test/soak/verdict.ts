/** Judges a run: every check with its bound, what was measured, and whether it is within. */
import type { Disturbance } from './disturbances.ts';
import type { HeldConnections } from './held-connections.ts';
import type { Recovery } from './kills.ts';
import type { Sample } from './sample.ts';
import { roles, type Role } from './schedule.ts';
import type { Tallies } from './soak.ts';
import { drift, floorDrift, type Point } from './statistics.ts';

export type Result = {
  readonly durationMs: number;
  readonly tallies: Pick<Tallies, 'reads' | 'execs' | 'services' | 'logins' | 'cycles'>;
  readonly sessions: Pick<HeldConnections, 'opened' | 'used' | 'ended' | 'lost'>;
  readonly followers: Pick<HeldConnections, 'opened' | 'used' | 'ended' | 'lost'>;
  readonly recoveries: readonly Recovery[];
  readonly disturbances: readonly Disturbance[];
  readonly samples: readonly Sample[];
  readonly leftovers: readonly string[];
};

export type Check = { readonly what: string; readonly bound: string; readonly measured: string; readonly ok: boolean };

const requiredAvailability = 0.9999;
/** A process that is young still grows into its work. */
const warmUpMs = 300_000;
const shareOfDrift = 0.1;
/** Events of deleted workspaces stay for 10 to 15 minutes: earlier nothing can be said of their number. */
const eventsSettleMs = 14 * 60_000;

/** What may differ between the second and the last quarter although nothing grows: work under way, pages not yet reused. */
const allowedDrift: Readonly<Record<string, number>> = {
  'database MiB': 1,
  'wal MiB': 5,
  'other MiB': 1,
  'data files': 6,
  'rows of workspaces': 2,
  'rows of services': 2,
  'rows of ports': 2,
  'rows of operations': 40,
  'rows of events': 200,
  'rows of join_tokens': 4,
  'rows of idempotency': 0,
  'processes in long-lived workspaces': 20,
  'temporary entries': 0,
};

export function judge(result: Result): Check[] {
  const { tallies, sessions, followers, recoveries, leftovers } = result;
  return [
    availability('API reads while nothing is disturbed', tallies.reads.calm),
    none('commands that failed while nothing was disturbed', tallies.execs.calm.failed),
    none('services not reached while nothing was disturbed', tallies.services.calm.failed),
    none('SSH logins that failed while nothing was disturbed', tallies.logins.calm.failed),
    none('short lives (create, stop, start, delete) that failed, kills included', failedLives(tallies.cycles)),
    none('SSH sessions lost, kills of server and agent included', sessions.lost.length),
    none('log followers lost while nothing was disturbed', followers.lost.length),
    none('kills without recovery', recoveries.filter(({ allMs }) => allMs === null).length),
    ...roles.flatMap((role) => oldest(role, result.samples)),
    ...Object.entries(allowedDrift).flatMap(([figure, allowed]) => flat(figure, allowed, result.samples)),
    none('left over at the end', leftovers.length),
  ];
}

/** A life must come to its end also when a role is killed meanwhile; when the engine is away it cannot. */
function failedLives({ failures }: Pick<Result['tallies']['cycles'], 'failures'>): number {
  return failures.filter(({ during }) => !during.some((what) => what.startsWith('engine'))).length;
}

function availability(what: string, { ok, failed }: { ok: number; failed: number }): Check {
  const share = ok + failed === 0 ? 0 : ok / (ok + failed);
  const measured = `${(share * 100).toFixed(4)} % (${failed} of ${ok + failed} failed)`;
  return { what, bound: `≥ ${requiredAvailability * 100} %`, measured, ok: share >= requiredAvailability };
}

function none(what: string, count: number): Check {
  return { what, bound: '0', measured: String(count), ok: count === 0 };
}

export function pointsOf(samples: readonly Sample[], figure: string): Point[] {
  return samples.flatMap(({ atMs, figures }) => {
    const value = figures[figure];
    return value === undefined ? [] : [{ atMs, value }];
  });
}

/** A role's points, one list for each of its processes, from when that had warmed up. */
export function livesOf(samples: readonly Sample[], role: Role, figure: string): Point[][] {
  const pids = new Set(samples.flatMap(({ pids }) => pids[role] ?? []));
  return [...pids].map((pid) => {
    const life = pointsOf(
      samples.filter(({ pids }) => pids[role] === pid),
      figure,
    );
    const born = life[0]?.atMs ?? 0;
    return life.filter(({ atMs }) => atMs >= born + warmUpMs);
  });
}

/** Of a role's process that lived longest, as young ones say little. */
function oldest(role: Role, samples: readonly Sample[]): Check[] {
  return Object.entries({ 'rss MiB': 16, fds: 4 }).map(([figure, allowed]) => {
    const lives = livesOf(samples, role, `${role} ${figure}`);
    const life = lives.toSorted((a, b) => b.length - a.length)[0] ?? [];
    const change = floorDrift(life);
    const check = { what: `${role} ${figure}: lowest of the second half of its longest life`, bound: `≤ +${allowed}` };
    if (change === null) return { ...check, measured: 'too short to say', ok: true };
    const minutes = ((life.at(-1)?.atMs ?? 0) - (life[0]?.atMs ?? 0)) / 60_000;
    return { ...check, measured: `${change.toFixed(1)} in ${minutes.toFixed(0)} min`, ok: change <= allowed };
  });
}

function flat(figure: string, allowed: number, samples: readonly Sample[]): Check[] {
  const points = pointsOf(samples, figure);
  const change = drift(points);
  if (change === null) return [];
  const second = points[Math.floor(points.length / 4)] ?? { atMs: 0, value: 0 };
  const bound = Math.max(allowed, shareOfDrift * second.value);
  const check = { what: `${figure}: last quarter against the second`, bound: `≤ +${bound.toFixed(1)}` };
  const isTooShort = figure === 'rows of events' && second.atMs - (points[0]?.atMs ?? 0) < eventsSettleMs;
  if (isTooShort) return [{ ...check, measured: 'too short to say', ok: true }];
  return [{ ...check, measured: change.toFixed(1), ok: change <= bound }];
}
