/** The run as Markdown, for people and for docs/reliability.md. */
import { roles } from './schedule.ts';
import { tallyNames } from './soak.ts';
import { percentile, slopePerHour } from './statistics.ts';
import { pointsOf, livesOf, type Check, type Result } from './verdict.ts';

export function report(result: Result, checks: readonly Check[]): string {
  return [
    table(
      ['check', 'bound', 'measured', ''],
      checks.map(({ what, bound, measured, ok }) => [what, bound, measured, ok ? 'ok' : 'FAILED']),
    ),
    load(result),
    held(result),
    kills(result),
    figures(result),
    failures(result),
  ].join('\n\n');
}

function load({ tallies }: Result): string {
  const rows = tallyNames.map((name) => {
    const { calm, disturbed, durations } = tallies[name];
    const [median, p99] = [percentile(durations, 0.5), percentile(durations, 0.99)];
    const meanwhile = Object.entries(disturbed).map(([what, { ok, failed }]) => `${what}: ${failed} of ${ok + failed}`);
    return [name, String(calm.ok), String(calm.failed), `${digits(median)} / ${digits(p99)}`, meanwhile.join('; ')];
  });
  return table(['load', 'ok', 'failed', 'median / p99 ms', 'failed while disturbed'], rows);
}

function held({ sessions, followers }: Result): string {
  const rows = [
    { name: 'SSH sessions', ...counts(sessions) },
    { name: 'log followers', ...counts(followers) },
  ].map(({ name, opened, used, lost, ended }) => [name, opened, used, lost, ended]);
  return table(['held open', 'opened', 'lines', 'lost', 'ended by'], rows);
}

function counts({ opened, used, lost, ended }: Result['sessions']) {
  const causes = Object.entries(ended).map(([what, count]) => `${what}: ${count}`);
  return { opened: String(opened), used: String(used), lost: String(lost.length), ended: causes.join('; ') };
}

function kills({ recoveries, disturbances }: Result): string {
  const killed = recoveries.map(({ what, atMs, apiMs, allMs }) => [minutes(atMs), what, digits(apiMs), digits(allMs)]);
  const others = disturbances
    .filter(({ what }) => !what.startsWith('kill'))
    .map(({ what, fromMs, toMs }) => [minutes(fromMs), what, '', digits(toMs === null ? null : toMs - fromMs)]);
  return table(['minute', 'disturbance', 'API answers after ms', 'all is well after ms'], [...killed, ...others]);
}

function figures({ samples }: Result): string {
  const names = [...new Set(samples.flatMap(({ figures }) => Object.keys(figures)))];
  const rows = names.map((name) => {
    const points = pointsOf(samples, name);
    const values = points.map(({ value }) => value);
    const role = roles.find((role) => name.startsWith(`${role} `));
    const slope = slopePerHour(role === undefined ? [points] : livesOf(samples, role, name));
    return [name, digits(values[0]), digits(values.at(-1)), digits(Math.max(...values)), digits(slope)];
  });
  return table(['figure', 'start', 'end', 'peak', 'slope an hour'], rows);
}

function failures({ tallies, sessions, followers, leftovers }: Result): string {
  const all = [...tallyNames.flatMap((name) => tallies[name].failures), ...sessions.lost, ...followers.lost];
  const calm = all.filter(({ during }) => during.length === 0).map(({ atMs, what }) => `- ${minutes(atMs)}: ${what}`);
  const rest = leftovers.map((line) => `- left over: ${line}`);
  return [...calm.slice(0, 100), ...rest].join('\n') || 'No failures while nothing was disturbed, nothing left over.';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function minutes(ms: number): string {
  return (ms / 60_000).toFixed(1);
}

function digits(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2);
}
