/**
 * One thing that a node needs. `nexus doctor` only checks; `nexus node setup` checks, and puts right what is not
 * as it should be.
 */
export type SetupStep = {
  readonly name: string;
  /** Null when all is well. Changes nothing, and is quick. */
  readonly check: () => Promise<Problem | null>;
  /** In a few words, for people; called when all is well. */
  readonly describe: () => string;
  /** @throws NexusError with what stands in the way */
  apply(onProgress: (line: string) => void): Promise<void>;
};

export type Problem = {
  readonly detail: string;
  /** A command that puts it right; absent: the node's set-up does. */
  readonly fix?: string;
};

/** What the check of a node found; `fix` is a command that puts it right. */
export type Finding = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix: string | null;
};

export type StepResult = {
  readonly name: string;
  /** `unchanged`: it was as it should be. */
  readonly status: 'unchanged' | 'done';
  readonly detail: string;
  readonly seconds: number;
};
