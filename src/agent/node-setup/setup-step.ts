/**
 * One thing that a node needs. `nexus doctor` only checks; `nexus node setup` checks, and puts right what is not
 * as it should be. `check` changes nothing and is quick.
 */
export type SetupStep = {
  readonly id: string;
  readonly title: string;
  check(): Promise<Finding>;
  /** @throws NexusError */
  apply(onProgress: (line: string) => void): Promise<void>;
};

export type Finding = {
  readonly id: string;
  readonly ok: boolean;
  readonly detail: string;
  /** A command that puts it right. */
  readonly fix: string | null;
};

export type StepReport = {
  readonly id: string;
  readonly title: string;
  readonly status: 'running' | 'unchanged' | 'done' | 'failed';
  readonly detail: string;
};

export const setupCommand = 'nexus node setup';

export function good(id: string, detail: string): Finding {
  return { id, ok: true, detail, fix: null };
}

export function bad(id: string, detail: string, fix: string = setupCommand): Finding {
  return { id, ok: false, detail, fix };
}
