/**
 * What to say of each service, and which to start or stop next: in dependency order, each behind the health of those
 * that it depends on. A service that fails takes down its dependants, never the workspace.
 */
import type { AgentCommand, Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { NexusError, type ErrorBody } from '../../contract/errors.ts';
import { mayTry, triesOf } from './attempts.ts';
import { startService, stopService } from './commands.ts';
import { healthyWithinMs, isHealthy } from './health.ts';
import type { ServiceVerdict, Want, WantedService } from './plan-types.ts';

/**
 * `ready`: healthy. `warming`: started, and still has time. `idle`: to be started (from `untilMs` on). `late`: runs, but
 * is not healthy in time. `broken`: does not stay up. `blocked`: not started for the one that it depends on. `off`: not
 * wanted.
 */
type Condition =
  | { readonly is: 'ready' | 'off' }
  | { readonly is: 'warming'; readonly untilMs: number }
  | { readonly is: 'idle'; readonly untilMs: number | null }
  | { readonly is: 'late' | 'broken' | 'blocked'; readonly error: ErrorBody };

export type ServicesPlan = {
  readonly commands: readonly AgentCommand[];
  /** The services that are not yet ready but may become so by themselves, and when to look again. */
  readonly awaited: readonly string[];
  readonly untilMs: number | null;
  readonly warnings: readonly string[];
};

export function planServices(want: Want, observation: Observation, nowMs: number): ServicesPlan {
  const conditions = conditionsOf(want, observation, nowMs);
  const commands: AgentCommand[] = [...unwanted(want, observation, nowMs)];
  const awaited: string[] = [];
  const moments: number[] = [];
  for (const { spec } of want.services) {
    const condition = conditions.get(spec.name);
    if (condition?.is === 'warming') {
      awaited.push(spec.name);
      moments.push(condition.untilMs);
    }
    if (condition?.is !== 'idle') continue;
    const depended = spec.depends_on.map((name) => conditions.get(name)?.is);
    if (depended.some((is) => is === 'idle' || is === 'warming')) awaited.push(spec.name);
    else if (condition.untilMs === null) commands.push(startService(want, spec));
    else {
      awaited.push(spec.name);
      moments.push(condition.untilMs);
    }
  }
  const warnings = [...conditions.values()].flatMap((c) => ('error' in c ? [c.error.message] : []));
  return { commands, awaited, untilMs: moments.length ? Math.min(...moments) : null, warnings };
}

function conditionsOf(want: Want, observation: Observation, nowMs: number): Map<string, Condition> {
  const conditions = new Map<string, Condition>();
  const byName = new Map(want.services.map((service) => [service.spec.name, service]));
  const judge = (service: WantedService, path: readonly string[]): Condition => {
    const { name, depends_on } = service.spec;
    const known = conditions.get(name);
    if (known) return known;
    let condition = ownCondition(want, service, reportOf(observation, name), nowMs);
    if (condition.is === 'idle') {
      const failed = depends_on.find((dependency) => {
        const other = byName.get(dependency);
        // A circle is refused before it gets here; one that did is cut where it closes.
        return !other || path.includes(dependency) || isLost(judge(other, [...path, name]));
      });
      if (failed !== undefined) {
        condition = {
          is: 'blocked',
          error: new NexusError('dependency_failed', { service: name, dependency: failed }).toBody(),
        };
      }
    }
    conditions.set(name, condition);
    return condition;
  };
  for (const service of want.services) judge(service, []);
  return conditions;
}

function isLost(condition: Condition): boolean {
  return condition.is === 'late' || condition.is === 'broken' || condition.is === 'blocked' || condition.is === 'off';
}

function reportOf(observation: Observation, service: string): ServiceReport | undefined {
  return observation.services.find((report) => report.name === service);
}

function ownCondition(
  want: Want,
  { spec, want: wanted }: WantedService,
  report: ServiceReport | undefined,
  nowMs: number,
): Condition {
  if (wanted === 'stopped') return { is: 'off' };
  if (report?.state === 'failed')
    return { is: 'broken', error: startFailed(spec.name, report.detail ?? 'it died 5 times in 2 minutes') };
  if (!report || report.state === 'stopped') {
    const permission = mayTry(want.done, startService(want, spec), nowMs);
    if (permission.may === 'never') return { is: 'broken', error: permission.error };
    return { is: 'idle', untilMs: permission.may === 'later' ? permission.untilMs : null };
  }
  if (isHealthy(spec, report)) return { is: 'ready' };
  const untilMs = startedAtMs(want, report, nowMs) + healthyWithinMs;
  if (nowMs < untilMs) return { is: 'warming', untilMs };
  const last = report.detail ?? `it is ${report.state}`;
  const error = new NexusError('health_check_timeout', { service: spec.name, seconds: healthyWithinMs / 1000, last });
  return { is: 'late', error: error.toBody() };
}

function startFailed(service: string, reason: string): ErrorBody {
  return new NexusError('service_start_failed', { service, reason }).toBody();
}

/** When we started it; what systemd says changes with every restart, and would give it time for ever. */
function startedAtMs(want: Want, report: ServiceReport, nowMs: number): number {
  const ours = want.done.findLast(
    ({ command, error }) => command.do === 'start_service' && command.service.name === report.name && !error,
  );
  if (ours) return ours.endedAt;
  return report.started_at === null ? nowMs : Date.parse(report.started_at);
}

/** Services that run and should not: stopped by request, or no longer in the configuration. */
function unwanted(want: Want, observation: Observation, nowMs: number): AgentCommand[] {
  return observation.services
    .filter((report) => report.state !== 'stopped')
    .filter((report) => want.services.find((service) => service.spec.name === report.name)?.want !== 'running')
    .map((report) => stopService(want, report.name))
    .filter((command) => mayTry(want.done, command, nowMs).may === 'go');
}

/** Running services that may be stopped now: those that nothing else that runs depends on, and whose stop was not tried in vain. */
export function nextToStop(want: Want, observation: Observation): AgentCommand[] {
  const dependsOn = new Map(want.services.map(({ spec }) => [spec.name, spec.depends_on]));
  const running = observation.services
    .filter((report) => report.state !== 'stopped')
    .map((report) => stopService(want, report.name))
    // The instance's stop ends what would not stop by itself.
    .filter((command) => !triesOf(want.done, command).some((entry) => entry.error));
  const leaves = running.filter(
    ({ service }) =>
      !running.some((other) => other.service !== service && dependsOn.get(other.service)?.includes(service)),
  );
  return leaves.length > 0 ? leaves : running;
}

/** How api.md shows the services of a workspace, by its instance's state. */
export function serviceVerdicts(want: Want, observation: Observation | null, nowMs: number): ServiceVerdict[] {
  if (observation?.instance !== 'running') {
    const status = want.state === 'running' ? 'pending' : 'stopped';
    return want.services.map(({ spec }) => ({
      name: spec.name,
      status,
      health: 'unknown',
      lastCheck: null,
      error: null,
    }));
  }
  const conditions = conditionsOf(want, observation, nowMs);
  return want.services.map(({ spec }) =>
    verdictOf(want, spec.name, conditions.get(spec.name), reportOf(observation, spec.name)),
  );
}

function verdictOf(
  want: Want,
  name: string,
  condition: Condition | undefined,
  report: ServiceReport | undefined,
): ServiceVerdict {
  const isUp = report !== undefined && report.state !== 'stopped' && report.state !== 'failed';
  const seen = {
    name,
    health: isUp ? report.health : ('unknown' as const),
    lastCheck: report?.last_check ?? null,
    error: null,
  };
  switch (condition?.is) {
    case 'ready':
      return { ...seen, status: 'running', health: 'healthy' };
    case 'warming':
      // What the health was before the service died says nothing about its new start.
      return { ...seen, status: 'starting', health: seen.health === 'healthy' ? 'unknown' : seen.health };
    case 'late':
      return {
        ...seen,
        status: 'unhealthy',
        health: seen.health === 'timeout' ? 'timeout' : 'unhealthy',
        error: condition.error,
      };
    case 'broken':
      return { ...seen, status: 'error', health: 'unhealthy', error: condition.error };
    case 'blocked':
      return { ...seen, status: 'error', error: condition.error };
    case 'idle':
      return { ...seen, status: want.state === 'running' ? 'pending' : 'stopped' };
    case 'off':
    case undefined:
      return { ...seen, status: 'stopped', health: 'unknown' };
  }
}
