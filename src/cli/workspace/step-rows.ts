/** The rows of a list of steps: what is under way, and what came of the rest. */
export type StepState = 'running' | 'done' | 'failed' | 'warned';

export type Step = {
  readonly key: string;
  readonly title: string;
  readonly state: StepState;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** The last line of what it does, or why it failed. */
  readonly detail: string | null;
};

export type StepRows = {
  all(): readonly Step[];
  /** A step that comes again after its end has another row. */
  begin(key: string, title: string): void;
  end(key: string, state: StepState, detail?: string): void;
  endAll(state: StepState, detail?: string): void;
  detail(key: string, text: string): void;
  /** One that has ended. Absent `startedMs`: just now. */
  tell(step: Pick<Step, 'title' | 'state' | 'detail'> & { readonly startedMs?: number }): void;
};

export function createStepRows(now: () => number): StepRows {
  const rows: Step[] = [];

  /** Of the row that is under way. */
  function put(key: string, change: Partial<Step>): void {
    const index = rows.findIndex((row) => row.key === key && row.endedMs === null);
    const row = rows[index];
    if (row !== undefined) rows[index] = { ...row, ...change };
  }

  function end(key: string, state: StepState, detail?: string): void {
    put(key, { state, endedMs: now(), detail: detail ?? null });
  }

  return {
    all: () => rows,
    begin(key, title) {
      if (rows.some((row) => row.key === key && row.endedMs === null)) return;
      rows.push({ key, title, state: 'running', startedMs: now(), endedMs: null, detail: null });
    },
    end,
    endAll(state, detail) {
      for (const { key } of rows.filter(({ endedMs }) => endedMs === null)) end(key, state, detail);
    },
    detail: (key, text) => put(key, { detail: text }),
    tell(step) {
      const endedMs = now();
      rows.push({ startedMs: endedMs, ...step, key: step.title, endedMs });
    },
  };
}
