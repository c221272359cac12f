/**
 * The states of a workspace: what may be asked for in which, and which may follow which. The server refuses by this
 * table, the CLI offers by it; a new state or request does not compile until it has its place here.
 */
import { NexusError } from '../contract/errors.ts';
import type { WorkspaceStatus } from '../contract/workspace.ts';

export type WorkspaceRequest = 'start' | 'stop' | 'delete' | 'exec' | 'connect';

/**
 * `yes`: now. `with_force`: only with force. `after_start`: when the workspace was started first.
 * The others are refusals, named after what the workspace is.
 */
export type Verdict = 'yes' | 'with_force' | 'after_start' | 'already_running' | 'already_stopped' | 'not_running';

export const verdicts: Readonly<Record<WorkspaceStatus, Readonly<Record<WorkspaceRequest, Verdict>>>> = {
  pending: { start: 'already_running', stop: 'yes', delete: 'with_force', exec: 'not_running', connect: 'yes' },
  creating: { start: 'already_running', stop: 'yes', delete: 'with_force', exec: 'yes', connect: 'yes' },
  running: { start: 'already_running', stop: 'yes', delete: 'with_force', exec: 'yes', connect: 'yes' },
  stopping: {
    start: 'yes',
    stop: 'already_stopped',
    delete: 'with_force',
    exec: 'not_running',
    connect: 'after_start',
  },
  stopped: { start: 'yes', stop: 'already_stopped', delete: 'yes', exec: 'not_running', connect: 'after_start' },
  // The instance of a workspace in error often runs: whose hook failed wants to look inside.
  error: { start: 'yes', stop: 'yes', delete: 'yes', exec: 'yes', connect: 'yes' },
  deleting: { start: 'not_running', stop: 'not_running', delete: 'yes', exec: 'not_running', connect: 'not_running' },
};

/** The statuses that may follow one another; `deleting` ends with the workspace. */
export const transitions: Readonly<Record<WorkspaceStatus, readonly WorkspaceStatus[]>> = {
  pending: ['creating', 'running', 'stopping', 'stopped', 'error', 'deleting'],
  creating: ['running', 'stopping', 'stopped', 'error', 'deleting'],
  running: ['creating', 'stopping', 'stopped', 'error', 'deleting'],
  stopping: ['creating', 'running', 'stopped', 'error', 'deleting'],
  stopped: ['creating', 'running', 'stopping', 'error', 'deleting'],
  error: ['creating', 'running', 'stopping', 'stopped', 'deleting'],
  deleting: ['error'],
};

/**
 * Why the request is not granted to a workspace in this status; null when it is. `after_start` is granted too: whoever
 * asks starts it first.
 */
export function refusal(
  status: WorkspaceStatus,
  request: WorkspaceRequest,
  options: { name: string; force?: boolean },
): NexusError | null {
  const { name } = options;
  const verdict = verdicts[status][request];
  switch (verdict) {
    case 'yes':
    case 'after_start':
      return null;
    case 'with_force':
      return options.force ? null : new NexusError('workspace_still_running', { name });
    case 'already_running':
      return new NexusError('workspace_already_running', { name });
    case 'already_stopped':
      // A forced stop makes an end of a graceful one that takes too long.
      return options.force && status === 'stopping' ? null : new NexusError('workspace_already_stopped', { name });
    case 'not_running':
      return new NexusError('workspace_not_running', { name, status });
  }
}

/** The requests that are granted in a status (without force): what to offer. */
export function granted(status: WorkspaceStatus): WorkspaceRequest[] {
  const row = verdicts[status];
  return (Object.keys(row) as WorkspaceRequest[]).filter((request) => row[request] === 'yes');
}
