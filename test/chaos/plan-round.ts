/**
 * A round of chaos, as the seed decides it: what is asked of which workspaces, and which roles are killed how long
 * after. It depends on nothing but the seed and on what was asked for before.
 */
import type { Random } from './random.ts';

export type Role = 'server' | 'agent' | 'gateway';
/** What was last asked for. */
export type Asked = 'running' | 'stopped' | 'gone';
export type Deed = 'create' | 'start' | 'stop' | 'restart' | 'delete' | 'exec';
/** Deeds of one workspace, each `afterMs` later than the one before: one that is still under way is given up for the next. */
export type Task = {
  readonly slot: number;
  readonly deeds: readonly { readonly deed: Deed; readonly afterMs: number }[];
};
export type Kill = { readonly roles: readonly Role[]; readonly afterMs: number };

export type Round = {
  readonly tasks: readonly Task[];
  /** The first counts from the start of the tasks, the others, which meet the recovery, from the one before. */
  readonly kills: readonly [Kill, ...Kill[]];
  /** How long a server that was killed stays away. */
  readonly restartAfterMs: number;
};

/** How long each usually takes: the moments of the kills lie within. */
const spanMs: Readonly<Record<Deed, number>> = {
  create: 4000,
  start: 3500,
  stop: 2000,
  restart: 5000,
  delete: 1500,
  exec: 1000,
};

const roleSets: readonly (readonly [readonly Role[], number])[] = [
  [['server'], 24],
  [['agent'], 28],
  [['gateway'], 8],
  [['server', 'agent'], 18],
  [['agent', 'gateway'], 4],
  [['server', 'gateway'], 4],
  [['server', 'agent', 'gateway'], 14],
];

const deedsFor: Readonly<Record<Asked, readonly (readonly [readonly Deed[], number])[]>> = {
  gone: [
    [['create'], 10],
    [['create', 'stop'], 2],
    [['create', 'delete'], 2],
    [['create', 'stop', 'start'], 1],
  ],
  running: [
    [['stop'], 5],
    [['restart'], 4],
    [['delete'], 4],
    [['exec'], 3],
    [['stop', 'start'], 2],
    [['exec', 'stop'], 2],
    [['restart', 'delete'], 1],
  ],
  stopped: [
    [['start'], 8],
    [['delete'], 2],
    [['start', 'stop'], 2],
    [['start', 'delete'], 2],
  ],
};

export function planRound(random: Random, asked: readonly Asked[], { killsLeft }: { killsLeft: number }): Round {
  const tasks = chooseSlots(random, asked.length).map((slot): Task => {
    const deeds = random.weighted(deedsFor[asked[slot] ?? 'gone']);
    return {
      slot,
      deeds: deeds.map((deed, index) => ({
        deed,
        afterMs: index === 0 ? random.between(0, 300) : random.between(50, 2500),
      })),
    };
  });
  const longestMs = Math.max(...tasks.map(({ deeds }) => deeds.reduce((sum, { deed }) => sum + spanMs[deed], 0)));
  const first = { roles: random.weighted(roleSets), afterMs: random.between(0, longestMs) };
  const restartAfterMs = random.chance(0.5) ? 0 : random.between(0, 1500);
  const again = killsLeft > 1 && random.chance(0.3);
  const kills: [Kill, ...Kill[]] = [first];
  if (again) kills.push({ roles: random.weighted(roleSets), afterMs: restartAfterMs + random.between(0, 2500) });
  return { tasks, kills, restartAfterMs };
}

function chooseSlots(random: Random, count: number): number[] {
  const slots = Array.from({ length: count }, (_, slot) => slot);
  const chosen = random.weighted([
    [1, 3],
    [2, 4],
    [3, 2],
  ]);
  while (slots.length > chosen) slots.splice(random.between(0, slots.length), 1);
  return slots;
}

/** What is asked for once a deed is. */
export function askedBy(deed: Deed, before: Asked): Asked {
  switch (deed) {
    case 'create':
    case 'start':
    case 'restart':
      return 'running';
    case 'stop':
      return 'stopped';
    case 'delete':
      return 'gone';
    case 'exec':
      return before;
  }
}

export function describeRound({ tasks }: Round): string {
  return tasks.map(({ slot, deeds }) => `c${slot} ${deeds.map(({ deed }) => deed).join('+')}`).join(', ');
}
