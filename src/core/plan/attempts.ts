/** Whether a step may be tried (again), by what the journal says of its earlier tries. */
import type { AgentCommand } from '../../contract/control-protocol.ts';
import { NexusError, type ErrorBody, type ErrorCode } from '../../contract/errors.ts';
import { backoffMs } from '../backoff.ts';
import type { Done } from './plan-types.ts';

export type Permission =
  | { readonly may: 'go' }
  | { readonly may: 'later'; readonly untilMs: number; readonly because: string }
  | { readonly may: 'never'; readonly error: ErrorBody };

export const retryBackoff = { firstMs: 1000, maxMs: 30_000 };
export const mostAttempts = 6;
/** A step that succeeds again and again without effect (an instance that dies after each start) is given up too. */
const mostRepeats = 5;
const repeatsWithoutWait = 2;
const repeatWindowMs = 10 * 60_000;

/** Failures of an engine, a node or a connection: these may pass. What a repository or a request caused will not. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_unavailable',
  'container_start_failed',
  'container_not_ready',
  'node_unreachable',
  'stream_failed',
  'shutting_down',
  'timeout',
  'internal',
  // The instance stopped or went behind our back: it is looked at anew.
  'not_found',
  'workspace_not_running',
]);

/** Tries of the same step have the same key. */
export function stepKey(command: AgentCommand): string {
  switch (command.do) {
    case 'ensure_base':
      return `ensure_base:${baseKey(command)}`;
    case 'run_hook':
      return `run_hook:${command.hook}`;
    case 'start_service':
      return `start_service:${command.service.name}`;
    case 'stop_service':
      return `stop_service:${command.service}`;
    case 'configure':
      return `configure:${JSON.stringify(command)}`;
    case 'observe':
    case 'create_instance':
    case 'start_instance':
    case 'clone':
    case 'read_config':
    case 'stop_instance':
    case 'remove_instance':
      return command.do;
  }
}

export function baseKey(base: { readonly image: string; readonly packages: readonly string[] }): string {
  return [base.image, ...new Set(base.packages.toSorted())].join(' ');
}

export function triesOf(done: readonly Done[], command: AgentCommand): Done[] {
  const key = stepKey(command);
  return done.filter((entry) => stepKey(entry.command) === key);
}

export function mayTry(done: readonly Done[], command: AgentCommand, nowMs: number): Permission {
  const tries = triesOf(done, command);
  const last = tries.at(-1);
  if (!last) return { may: 'go' };
  return last.error ? afterFailures(tries, last.error, last.endedAt, nowMs) : afterSuccesses(tries, last, nowMs);
}

function afterFailures(tries: readonly Done[], error: ErrorBody, endedAt: number, nowMs: number): Permission {
  const failures = tries.length - 1 - tries.findLastIndex((entry) => entry.error === null);
  const { command } = tries[0] as Done;
  if (!mayPass(command, error) || failures >= mostAttempts) return { may: 'never', error };
  const untilMs = endedAt + backoffMs(failures, retryBackoff);
  return nowMs >= untilMs ? { may: 'go' } : { may: 'later', untilMs, because: error.message };
}

function afterSuccesses(tries: readonly Done[], last: Done, nowMs: number): Permission {
  const repeats = tries.filter((entry) => !entry.error && entry.endedAt > nowMs - repeatWindowMs).length;
  if (repeats >= mostRepeats && last.command.do !== 'start_service')
    return { may: 'never', error: inVain(last.command) };
  const untilMs = last.endedAt + backoffMs(repeats - repeatsWithoutWait, retryBackoff);
  return nowMs >= untilMs ? { may: 'go' } : { may: 'later', untilMs, because: `${last.command.do} did not last` };
}

/** A hook that ran into its time limit would do so again. */
function mayPass(command: AgentCommand, error: ErrorBody): boolean {
  return passing.has(error.error) && !(command.do === 'run_hook' && error.error === 'timeout');
}

function inVain(command: AgentCommand): ErrorBody {
  const reason =
    command.do === 'start_instance' ? 'it stops again soon after each start' : `${command.do} has no effect`;
  return new NexusError('container_start_failed', { instance: command.workspace_id, reason }).toBody();
}
