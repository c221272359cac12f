/** `warning`: works, but not as well as it could. */
export type Finding = {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'broken';
  readonly detail: string;
  /** A command that puts it right; null when there is nothing to put right. */
  readonly fix: string | null;
};

export function ok(name: string, detail: string): Finding {
  return { name, status: 'ok', detail, fix: null };
}

export function broken(name: string, detail: string, fix: string): Finding {
  return { name, status: 'broken', detail, fix };
}

export function warning(name: string, detail: string, fix: string): Finding {
  return { name, status: 'warning', detail, fix };
}
