/** A service's unit as systemd describes it (`unit_states` in guest-lib.sh prints it). */
export type UnitState = {
  /** The service's name. */
  readonly name: string;
  readonly active: string;
  readonly sub: string;
  /** `success`, `exit-code`, `signal`, `start-limit-hit`, … */
  readonly result: string;
  /** Restarts by systemd since it was started by us. */
  readonly restarts: number;
  /** 0: none runs. */
  readonly mainPid: number;
  /** How the last process ended (waitid's si_code: 1 exited, 2 killed, 3 dumped core; 0: it has not), and its status. */
  readonly exitKind: number;
  readonly exitStatus: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
};

/** @param fields `Key=Value`, as `systemctl show` prints them */
export function parseUnit(fields: readonly string[]): UnitState {
  const properties = new Map(
    fields.map((field): [string, string] => {
      const at = field.indexOf('=');
      return [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const text = (key: string): string => properties.get(key) ?? '';
  const number = (key: string): number => (Number.isSafeInteger(Number(text(key))) ? Number(text(key)) : 0);
  return {
    name: text('Id')
      .replace(/^nexus-/, '')
      .replace(/\.service$/, ''),
    active: text('ActiveState'),
    sub: text('SubState'),
    result: text('Result'),
    restarts: number('NRestarts'),
    mainPid: number('MainPID'),
    exitKind: number('ExecMainCode'),
    exitStatus: number('ExecMainStatus'),
    startedAt: parseTimestamp(text('ExecMainStartTimestamp')),
  };
}

/** `Mon 2026-11-23 17:11:58.123456 UTC`, as `systemctl --timestamp=us+utc` prints it; empty for never. */
function parseTimestamp(text: string): number | null {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d* UTC$/.exec(text);
  return match ? Date.parse(`${match[1]}T${match[2]}Z`) || null : null;
}
