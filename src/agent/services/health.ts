/** A service's state and health, from what systemd says of its unit and what its probes found. Pure. */
import type { ServiceReport } from '../../contract/control-protocol.ts';
import type { UnitState } from './unit-state.ts';

export type ProbeResult = {
  readonly service: string;
  /** The process that was probed. */
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** So many failures in a row, and it is no longer healthy. */
  readonly retries: number;
  readonly outcome: 'ok' | 'failed' | 'timeout';
  readonly detail: string | null;
};

/** The probes of one process of a service. */
export type ProbeHistory = { readonly last: ProbeResult; readonly wasHealthy: boolean; readonly failures: number };

/** How long a service may take to become healthy before it is called unhealthy (cli.md). */
export const startWindowMs = 30_000;
/** What `StartLimitBurst=` of the unit says. */
const deathsUntilFailed = 5;

export function addProbe(history: ProbeHistory | undefined, result: ProbeResult): ProbeHistory {
  const same = history?.last.pid === result.pid ? history : undefined;
  const isOk = result.outcome === 'ok';
  return {
    last: result,
    wasHealthy: isOk || (same?.wasHealthy ?? false),
    failures: isOk ? 0 : (same?.failures ?? 0) + 1,
  };
}

export function reportService(unit: UnitState, history: ProbeHistory | undefined): ServiceReport {
  const current = history?.last.pid === unit.mainPid ? history : undefined;
  const { health, isStarting } = judge(unit, current);
  const state = isStarting ? 'starting' : stateOf(unit);
  const isUp = state === 'running' || state === 'starting';
  return {
    name: unit.name,
    state,
    health: isUp ? health : state === 'stopped' ? 'unknown' : 'unhealthy',
    detail: isUp ? (health === 'healthy' ? null : (current?.last.detail ?? null)) : howItEnded(unit, state),
    last_check: current ? new Date(current.last.at).toISOString() : null,
    started_at: isUp && unit.startedAt !== null ? new Date(unit.startedAt).toISOString() : null,
    deaths: deathsOf(unit),
  };
}

type Judgement = { readonly health: ServiceReport['health']; readonly isStarting: boolean };

function judge(unit: UnitState, probes: ProbeHistory | undefined): Judgement {
  const isUp = stateOf(unit) === 'running';
  if (!probes) return { health: 'unknown', isStarting: isUp };
  const isInTime = unit.startedAt !== null && probes.last.at - unit.startedAt < startWindowMs;
  if (!probes.wasHealthy && isInTime) return { health: 'unknown', isStarting: isUp };
  if (probes.failures < probes.last.retries) {
    return { health: probes.wasHealthy ? 'healthy' : 'unknown', isStarting: false };
  }
  return { health: probes.last.outcome === 'timeout' ? 'timeout' : 'unhealthy', isStarting: false };
}

function stateOf({ active, sub, restarts, exitKind }: UnitState): ServiceReport['state'] {
  switch (active) {
    case 'active':
    case 'reloading':
      return 'running';
    case 'failed':
      return 'failed';
    case 'activating':
      return isWaiting(sub) || restarts > 0 ? 'restarting' : 'starting';
    // The unit of a service that died goes through it too, until what it left behind is gone.
    case 'deactivating':
      return exitKind === 0 ? 'running' : 'restarting';
    default:
      return 'stopped';
  }
}

/** systemd counts restarts, also the one that its limit then forbids; a death that none has followed yet comes on top. */
function deathsOf({ active, sub, restarts }: UnitState): number {
  if (active === 'failed') return Math.max(restarts, 1);
  return active === 'activating' && isWaiting(sub) ? restarts + 1 : restarts;
}

/** `auto-restart`, or since systemd 255 `auto-restart-queued`: the restart is still to come. */
function isWaiting(sub: string): boolean {
  return sub.startsWith('auto-restart');
}

function howItEnded(unit: UnitState, state: ServiceReport['state']): string | null {
  if (state === 'stopped') return null;
  if (state === 'restarting' && unit.exitKind === 0) return 'it died and waits for its next start';
  const how = exitText(unit);
  if (state !== 'failed') return how;
  const deaths = deathsOf(unit);
  return deaths >= deathsUntilFailed ? `it died ${deaths} times in 2 minutes, the last time: ${how}` : how;
}

/** Exit codes of what systemd does before the command itself runs (systemd.exec(5)). */
const beforeItRan: ReadonlyMap<number, string> = new Map([
  [200, 'its folder does not exist'],
  [203, 'its shell could not be started'],
  [217, 'there is no user dev'],
]);

export function exitText({ exitKind, exitStatus, result }: UnitState): string {
  if (exitKind === 1) return beforeItRan.get(exitStatus) ?? `it ended with exit code ${exitStatus}`;
  if (exitKind === 2 || exitKind === 3) return `it was killed by signal ${exitStatus}`;
  return `it did not start (${result})`;
}
