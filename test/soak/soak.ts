/** What every part of the load shares. */
import type { Installation } from '../support/installation.ts';
import type { Disturbances } from './disturbances.ts';
import type { HeldConnections } from './held-connections.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

export type Soak = {
  readonly nexus: Installation;
  readonly token: string;
  readonly random: Random;
  /** Milliseconds of a clock that never jumps, from the start of the soak. */
  readonly now: () => number;
  /** Aborted when the load is to end. */
  readonly signal: AbortSignal;
  readonly disturbances: Disturbances;
  /** Writes a line into the journal of the run. */
  readonly note: (type: string, what: Readonly<Record<string, unknown>>) => void;
  readonly tallies: Tallies;
  readonly sessions: HeldConnections;
  readonly followers: HeldConnections;
  /** Ids of all workspaces that were ever created, to look for what is left of them. */
  readonly created: Set<string>;
};

export type Tallies = Readonly<Record<TallyName, Tally>>;
export type TallyName = 'reads' | 'execs' | 'services' | 'logins' | 'cycles';
export const tallyNames: readonly TallyName[] = ['reads', 'execs', 'services', 'logins', 'cycles'];
