/**
 * The closed catalogue of errors. Every failure that a person or a program sees is one of these: a code, an
 * HTTP status, and a message and a hint (a next step that works when pasted) built from typed details.
 */
import { platformOfProgram } from './platform.ts';

export type Entry<D> = {
  readonly status: number;
  readonly meaning: string;
  readonly message: (details: D) => string;
  readonly hint: (details: D) => string | null;
};

function define<D>(entry: Entry<D>): Entry<D> {
  return entry;
}

export type FieldProblem = { readonly path: string; readonly problem: string };

export const errorCatalogue = {
  invalid_request: define<{ fields: readonly FieldProblem[] }>({
    status: 400,
    meaning: 'The request has missing, unknown or malformed fields; all of them are named.',
    message: ({ fields }) => `The request is not valid: ${fields.map((f) => `${f.path}: ${f.problem}`).join('; ')}.`,
    hint: () => null,
  }),
  /** `of` is `repository` where it is not said. */
  config_invalid: define<{
    file: string;
    problems: readonly (FieldProblem & { line?: number; column?: number })[];
    of?: 'repository' | 'server' | 'data';
  }>({
    status: 400,
    meaning: 'A configuration file is broken: file, line, column, and what was expected.',
    message: ({ file, problems }) =>
      problems
        .map((p) => `${file}${p.line === undefined ? '' : `:${p.line}:${p.column ?? 1}`}: ${p.path}: ${p.problem}`)
        .join('\n'),
    hint: ({ file, of = 'repository' }) => {
      if (of === 'repository') return 'nexus config validate';
      if (of === 'data') return null;
      const isFile = !['configuration', 'environment'].includes(file);
      return `nexus server start ${isFile ? `--config ${file}` : '--help'}`;
    },
  }),
  dependency_cycle: define<{ cycle: readonly string[] }>({
    status: 400,
    meaning: 'Services depend on each other in a circle.',
    message: ({ cycle }) => `The services depend on each other in a circle: ${cycle.join(' → ')}.`,
    hint: () => 'nexus config validate',
  }),
  unauthorized: define<{ reason: string }>({
    status: 401,
    meaning: 'No token, or one that is not accepted.',
    message: ({ reason }) => `You are not signed in: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  forbidden: define<{ reason: string }>({
    status: 403,
    meaning: 'You are signed in, but may not do this.',
    message: ({ reason }) => `Not allowed: ${reason}.`,
    hint: () => null,
  }),
  not_found: define<{ kind: string; name: string; nearest?: readonly string[]; workspace?: string }>({
    status: 404,
    meaning: 'It does not exist, or you may not see it.',
    message: ({ kind, name, nearest }) =>
      `There is no ${kind} ${name}.${nearest?.length ? ` Did you mean ${nearest.join(' or ')}?` : ''}`,
    hint: ({ kind, name, workspace }) => {
      if (kind === 'workspace') return 'nexus workspace list';
      if (kind === 'program' && platformOfProgram(name))
        return `make build-all && install -D dist/${name} DATA_DIR/downloads/${name}`;
      return kind === 'service' ? `nexus workspace services ${workspace ?? 'NAME'}` : null;
    },
  }),
  user_already_registered: define<{ user_id: string; github_username: string; same_key: boolean }>({
    status: 409,
    meaning: 'This user is registered; `same_key` tells whether with the same SSH key.',
    message: ({ github_username, same_key }) =>
      `${github_username} is registered already, with ${same_key ? 'this key' : 'another key'}.`,
    hint: ({ same_key }) => (same_key ? null : 'nexus ssh setup --yes'),
  }),
  workspace_already_exists: define<{ owner: string; name: string; workspace_id: string; status?: string }>({
    status: 409,
    meaning: 'The owner has a workspace of this name.',
    message: ({ owner, name, workspace_id }) => `${owner} already has a workspace named ${name} (${workspace_id}).`,
    hint: ({ name, status }) => {
      if (status === 'pending' || status === 'creating') return `nexus workspace status ${name} --watch`;
      return status === 'error' || status === 'deleting' ? `nexus workspace delete ${name}` : `nexus ssh ${name}`;
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
  ssh_key_mismatch: define<{ expected: string; actual: string }>({
    status: 409,
    meaning: 'An SSH key is not the one that was expected.',
    message: ({ expected, actual }) => `The SSH key is ${actual}, expected ${expected}.`,
    hint: () => 'nexus ssh setup',
  }),
  github_repo_not_found: define<{ repository: string }>({
    status: 404,
    meaning: 'The repository does not exist, or you may not see it.',
    message: ({ repository }) => `The repository ${repository} does not exist or you may not see it.`,
    hint: ({ repository }) => `https://github.com/${repository}`,
  }),
  github_unreachable: define<{ reason: string }>({
    status: 503,
    meaning: 'GitHub does not answer.',
    message: ({ reason }) => `GitHub cannot be reached: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  github_rate_limited: define<{ reset_at: string }>({
    status: 503,
    meaning: "GitHub's rate limit is used up.",
    message: ({ reset_at }) => `GitHub's rate limit is used up until ${reset_at}.`,
    hint: () => null,
  }),
  payload_too_large: define<{ limit_bytes: number }>({
    status: 413,
    meaning: 'The body is larger than is taken.',
    message: ({ limit_bytes }) => `The body is larger than ${limit_bytes} bytes.`,
    hint: () => null,
  }),
  output_too_large: define<{ stream: string; limit_bytes: number }>({
    status: 400,
    meaning: 'A command wrote more than one answer takes; over a WebSocket there is no limit.',
    message: ({ stream, limit_bytes }) => `The command wrote more than ${limit_bytes} bytes to ${stream}.`,
    hint: () => 'nexus workspace exec NAME -- COMMAND',
  }),
  unsupported_media_type: define<{ got: string; expected: string }>({
    status: 415,
    meaning: 'The body is not of the type that is taken.',
    message: ({ got, expected }) => `The body is ${got}, expected ${expected}.`,
    hint: () => null,
  }),
  rate_limited: define<{ limit: number; retry_after_seconds: number }>({
    status: 429,
    meaning: 'More requests than a user may make in a minute.',
    message: ({ limit, retry_after_seconds }) =>
      `More than ${limit} requests in a minute; try again in ${retry_after_seconds} s.`,
    hint: () => null,
  }),
  internal: define<{ request_id?: string }>({
    status: 500,
    meaning: 'A fault of the server; its cause is in the server log under the request id.',
    message: ({ request_id }) => `The server failed${request_id ? ` (${request_id})` : ''}.`,
    hint: () => 'nexus doctor',
  }),
  no_available_nodes: define<{ reason: string }>({
    status: 503,
    meaning: 'No node is there to take the workspace.',
    message: ({ reason }) => `No node can take the workspace: ${reason}.`,
    hint: () => 'nexus node list',
  }),
  insufficient_node_resources: define<{ reason: string }>({
    status: 503,
    meaning: 'The nodes, or the owner’s limits, have no room for the workspace.',
    message: ({ reason }) => `There is no room for the workspace: ${reason}.`,
    hint: () => 'nexus workspace list',
  }),
  node_unreachable: define<{ node: string }>({
    status: 503,
    meaning: 'The node of the workspace does not answer; the work goes on when it is back.',
    message: ({ node }) => `The node ${node} does not answer.`,
    hint: () => 'nexus node list',
  }),
  node_in_use: define<{ node: string; workspaces: number }>({
    status: 409,
    meaning: 'Only a node without workspaces can be removed.',
    message: ({ node, workspaces }) => `The node ${node} still has ${workspaces} workspaces.`,
    hint: ({ node }) => `nexus node drain ${node}`,
  }),
  timeout: define<{ what: string; seconds: number }>({
    status: 503,
    meaning: 'It took longer than is waited for; it goes on in the background.',
    message: ({ what, seconds }) => `${what} took longer than ${seconds} s.`,
    hint: () => null,
  }),
  shutting_down: define<Record<string, never>>({
    status: 503,
    meaning: 'The server is stopping.',
    message: () => 'The server is stopping.',
    hint: () => 'nexus server status',
  }),
  server_already_running: define<{ data_dir: string; pid: number }>({
    status: 409,
    meaning: 'Another server has the data folder.',
    message: ({ data_dir, pid }) => `A server runs on ${data_dir} already (process ${pid}).`,
    hint: () => 'nexus server status',
  }),
  port_pool_exhausted: define<{ pool: string; first: number; last: number }>({
    status: 503,
    meaning: 'Every port of the pool is given out.',
    message: ({ pool, first, last }) => `All ${pool} ports from ${first} to ${last} are in use.`,
    hint: () => 'nexus workspace list',
  }),
  port_already_in_use: define<{ port: number }>({
    status: 409,
    meaning: 'Another process has the port.',
    message: ({ port }) => `Port ${port} is in use by another process.`,
    hint: ({ port }) => `ss -ltnp sport = :${port}`,
  }),
  image_not_found: define<{ image: string; reason?: string }>({
    status: 400,
    meaning: 'The image is neither on the node nor on an image server, and cannot be built.',
    message: ({ image, reason }) => `There is no image ${image}${reason ? `: ${reason}` : ''}.`,
    hint: () => 'nexus workspace create REPO --image debian:12',
  }),
  provider_unavailable: define<{ provider: string; reason: string }>({
    status: 503,
    meaning: 'The engine does not answer.',
    message: ({ provider, reason }) => `The ${provider} engine is not available: ${reason}.`,
    hint: ({ provider }) => (provider === 'lxc' ? 'nexus node setup' : 'nexus node list'),
  }),
  package_install_failed: define<{ packages: readonly string[]; output: readonly string[] }>({
    status: 400,
    meaning: 'The packages that the repository asks for cannot be installed.',
    message: ({ packages, output }) => `Could not install ${packages.join(', ')}: ${output.at(-1) ?? 'no output'}.`,
    hint: () => 'nexus config validate',
  }),
  container_start_failed: define<{ instance: string; reason: string }>({
    status: 503,
    meaning: 'The engine could not create or start the instance.',
    message: ({ instance, reason }) => `The instance ${instance} did not start: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  instance_lost: define<{ name: string; node: string }>({
    status: 503,
    meaning: 'Somebody removed the instance of the workspace on its node, with all that was in it.',
    message: ({ name, node }) =>
      `The instance of ${name} is not on node ${node} any more: it was removed there, with all that was in it. A start makes it anew from its repository.`,
    hint: ({ name }) => `nexus workspace up ${name}`,
  }),
  container_not_ready: define<{ instance: string; waiting_for: string; seconds: number }>({
    status: 503,
    meaning: 'The instance runs, but its SSH server did not come up in time.',
    message: ({ instance, waiting_for, seconds }) =>
      `${instance} runs, but ${waiting_for} did not come up in ${seconds} s.`,
    hint: () => 'nexus doctor',
  }),
  /** `url` is empty for a folder that was sent and came from nowhere. */
  clone_failed: define<{ url: string; reason: string; output?: readonly string[] }>({
    status: 400,
    meaning: 'The repository could not be cloned.',
    message: ({ url, reason }) => `Could not clone ${url || 'the folder that was sent'}: ${reason}.`,
    hint: ({ url }) => (url === '' ? 'nexus workspace logs NAME' : `git ls-remote ${url}`),
  }),
  hook_failed: define<{ hook: string; exit_code: number; output: readonly string[]; workspace?: string }>({
    status: 400,
    meaning: 'A hook of the repository ended with an error; its last 20 lines are in the details.',
    message: ({ hook, exit_code, output }) =>
      `The hook ${hook} ended with ${exit_code}.${output.length ? `\n${output.join('\n')}` : ''}`,
    hint: ({ hook, workspace }) => `nexus workspace logs ${workspace ?? 'NAME'} --service ${hook}`,
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
    message: ({ service, seconds, last }) => `${service} was not healthy after ${seconds} s: ${last}.`,
    hint: ({ service }) => `nexus workspace logs NAME --service ${service}`,
  }),
  disk_full: define<{ where: string; free_bytes?: number }>({
    status: 503,
    meaning: 'There is no room left on a disk.',
    message: ({ where }) => `There is no room left on ${where}.`,
    hint: () => 'nexus workspace list',
  }),
  stream_failed: define<{ reason: string }>({
    status: 503,
    meaning: 'A connection into the workspace could not be opened.',
    message: ({ reason }) => `No connection into the workspace: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
} as const;
