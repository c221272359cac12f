import type { Logger } from '../../lib/log.ts';
import type { Hub } from '../control/hub.ts';
import type { ChildSpec } from './find-child.ts';

/** How the processes of a single machine are started and known again. */
export type ChildOptions = {
  /** The program, e.g. `[process.execPath]` of the compiled file. */
  readonly programCommand: readonly string[];
  readonly version: string;
  /** Where it is noted who was started how. */
  readonly folder: string;
  readonly hub: Pick<Hub, 'events' | 'versionOf'>;
  readonly newJoinToken: (role: ChildSpec['role'], name: string) => Promise<string>;
  readonly log: Logger;
  /** For tests. */
  readonly backoff?: { firstMs: number; maxMs: number };
  readonly adoptWithinMs?: number;
};

/** A process that is counted on. `gone` resolves when it has ended, or is not to be counted on any more. */
export type Held = { readonly pid: number; readonly gone: Promise<void> };
