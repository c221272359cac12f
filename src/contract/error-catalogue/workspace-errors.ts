/** Errors of a workspace and what is in it. */
import { define } from './entry.ts';

export const workspaceErrors = {
  workspace_already_exists: define<{ owner: string; name: string; workspace_id: string; status?: string }>({
    status: 409,
    meaning: 'The owner has a workspace of this name.',
    message: ({ owner, name, workspace_id }) => `${owner} already has a workspace named ${name} (${workspace_id}).`,
    hint: ({ name, status }) => {
      if (status === 'pending' || status === 'creating') return `nexus workspace status ${name} --watch`;
      return `nexus workspace ${status === 'error' || status === 'deleting' ? 'delete' : 'connect'} ${name}`;
    },
  }),
  workspace_already_stopped: define<{ name: string }>({
    status: 409,
    meaning: 'The workspace is stopped or stopping already.',
    message: ({ name }) => `${name} is stopped already.`,
    hint: ({ name }) => `nexus workspace up ${name}`,
  }),
  workspace_already_running: define<{ name: string }>({
    status: 409,
    meaning: 'The workspace is running or starting already.',
    message: ({ name }) => `${name} is running already.`,
    hint: ({ name }) => `nexus workspace status ${name}`,
  }),
  workspace_still_running: define<{ name: string }>({
    status: 409,
    meaning: 'Only a stopped workspace can be deleted without force.',
    message: ({ name }) => `${name} is still running.`,
    hint: ({ name }) => `nexus workspace delete ${name} --yes`,
  }),
  workspace_not_running: define<{ name: string; status: string }>({
    status: 409,
    meaning: 'What was asked for needs a running workspace.',
    message: ({ name, status }) => `${name} is not running (it is ${status}).`,
    hint: ({ name, status }) =>
      status === 'stopped' ? `nexus workspace up ${name}` : `nexus workspace status ${name}`,
  }),
  instance_lost: define<{ name: string; node: string }>({
    status: 503,
    meaning: 'Somebody removed the instance of the workspace on its node, with all that was in it.',
    message: ({ name, node }) =>
      `The instance of ${name} is not on node ${node} any more: it was removed there, with all that was in it. A start makes it anew from its repository.`,
    hint: ({ name }) => `nexus workspace up ${name}`,
  }),
  /** `url` is empty for a folder that was sent and came from nowhere. */
  clone_failed: define<{ url: string; reason: string; output?: readonly string[] }>({
    status: 400,
    meaning: 'The repository could not be cloned.',
    message: ({ url, reason }) => `Could not clone ${url || 'the folder that was sent'}: ${reason}.`,
    hint: ({ url }) => (url === '' ? 'nexus workspace logs NAME' : `git ls-remote ${url}`),
  }),
  hook_failed: define<{ hook: string; exit_code: number; output: readonly string[] }>({
    status: 400,
    meaning: 'A hook of the repository ended with an error; its last 20 lines are in the details.',
    message: ({ hook, exit_code, output }) =>
      `The hook ${hook} ended with ${exit_code}.${output.length ? `\n${output.join('\n')}` : ''}`,
    hint: ({ hook }) => `nexus workspace logs NAME --service ${hook}`,
  }),
  dependency_failed: define<{ service: string; dependency: string }>({
    status: 503,
    meaning: 'A service was not started, for one that it depends on is not healthy.',
    message: ({ service, dependency }) => `${service} was not started: ${dependency} is not healthy.`,
    hint: ({ dependency }) => `nexus workspace logs NAME --service ${dependency}`,
  }),
  service_start_failed: define<{ service: string; reason: string }>({
    status: 503,
    meaning: 'A service does not stay up.',
    message: ({ service, reason }) => `The service ${service} does not run: ${reason}.`,
    hint: ({ service }) => `nexus workspace logs NAME --service ${service}`,
  }),
  health_check_timeout: define<{ service: string; seconds: number; last: string }>({
    status: 503,
    meaning: 'A service did not get healthy in time.',
    message: ({ service, seconds, last }) =>
      `${service} is not healthy, and its ${seconds} s to start are over: ${last}.`,
    hint: ({ service }) => `nexus workspace logs NAME --service ${service}`,
  }),
} as const;
