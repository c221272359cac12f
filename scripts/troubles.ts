// What can go wrong on the way from a repository's name to an open editor, for docs/troubleshooting.md. An error of the
// catalogue without a place here does not compile.
import type { ErrorCode } from '../src/contract/errors.ts';

/** In the order in which a person meets them. */
export const stages = {
  server: 'Reaching the server',
  'sign-in': 'Signing in',
  key: 'Your SSH key',
  repository: 'The repository',
  workspace: 'The workspace',
  services: 'Services and hooks',
  editor: 'SSH and the editor',
  node: 'Server, nodes and engines (administrators)',
  request: 'Programs that use the API',
} as const;
export type Stage = keyof typeof stages;

export type Trouble = {
  readonly at: Stage;
  readonly cause: string;
  /** What to do besides the command that is printed with the error; empty when that is all. */
  readonly next: string;
};

export const troublesOfErrors: { readonly [C in ErrorCode]: Trouble } = {
  shutting_down: {
    at: 'server',
    cause: 'The server is being stopped or upgraded. What runs in workspaces goes on.',
    next: 'Wait for it; commands that wait do so by themselves for five minutes.',
  },
  rate_limited: {
    at: 'server',
    cause: 'A script of yours asks too often, or many share one account.',
    next: 'Wait for the seconds that are named.',
  },
  timeout: {
    at: 'server',
    cause: 'It takes longer than is waited for, on a busy node say.',
    next: 'It goes on: look again with `nexus workspace status NAME --watch`.',
  },
  internal: {
    at: 'server',
    cause: 'A fault of Nexus itself.',
    next: 'The server’s log, where its output goes (`journalctl -u nexus` for a unit of that name), has the cause under the request id.',
  },
  unauthorized: {
    at: 'sign-in',
    cause: 'No token was sent, or it has expired, was revoked, or is for another server.',
    next: 'On a server in GitHub mode: `nexus auth github --force`. On the server’s own machine `NEXUS_TOKEN` is in `/var/lib/nexus/local-token`.',
  },
  forbidden: {
    at: 'sign-in',
    cause: 'You are known, but this is for administrators, or for members of an organisation.',
    next: '`nexus auth status` says who you are to the server; `admins` in its configuration names the administrators.',
  },
  github_unreachable: {
    at: 'sign-in',
    cause: 'GitHub is down, or a proxy or a firewall is in the way.',
    next: 'https://www.githubstatus.com; behind a proxy set `HTTPS_PROXY`. Whoever was signed in within the last day stays so.',
  },
  github_rate_limited: {
    at: 'sign-in',
    cause: 'The token, which gh and other programs use too, has spent its requests.',
    next: 'Wait until the time that is named; what is under way waits by itself where that is short.',
  },
  issuer_unreachable: {
    at: 'sign-in',
    cause: 'The company’s sign-in service does not answer the server.',
    next: 'Try again; an administrator checks `auth.oidc.issuer` of the server’s configuration.',
  },
  user_already_registered: {
    at: 'key',
    cause: 'You came before from another machine, with another key.',
    next: 'That replaces the key there; to use one key on both machines, copy it instead.',
  },
  ssh_key_mismatch: {
    at: 'key',
    cause: 'The fingerprint that was sent is not that of the key.',
    next: 'It finds the key and its fingerprint itself.',
  },
  github_repo_not_found: {
    at: 'repository',
    cause:
      'The name is misspelt, or the repository is private and your account is not among its people: GitHub tells neither from the other.',
    next: 'Open the page while signed in as the account of `nexus auth status`, or ask its owner there.',
  },
  clone_failed: {
    at: 'repository',
    cause: 'There is no such branch, you may not read it, or the workspace cannot reach its host.',
    next: 'Then `nexus workspace up NAME` goes on with the clone.',
  },
  config_invalid: {
    at: 'repository',
    cause: 'A mistake in a configuration file, at the line and column that are named.',
    next: 'Mend it, commit, and start the workspace again.',
  },
  dependency_cycle: {
    at: 'repository',
    cause: 'Services of the configuration wait for each other.',
    next: 'Take one `depends_on` of the circle away.',
  },
  workspace_already_exists: {
    at: 'workspace',
    cause: 'You have one of that name, of another repository.',
    next: 'Open that one, or give the new one a name of its own with `--name`.',
  },
  not_found: {
    at: 'workspace',
    cause: 'The name is misspelt, it was deleted, or it belongs to somebody else.',
    next: '',
  },
  workspace_not_running: {
    at: 'workspace',
    cause: 'It was stopped, by you or by an administrator.',
    next: '',
  },
  workspace_already_running: { at: 'workspace', cause: 'There is nothing to start.', next: '' },
  workspace_already_stopped: { at: 'workspace', cause: 'There is nothing to stop.', next: '' },
  workspace_still_running: {
    at: 'workspace',
    cause: 'Only what is stopped is deleted without being asked twice.',
    next: 'It warns of work that is not pushed.',
  },
  instance_lost: {
    at: 'workspace',
    cause: 'The container was removed behind Nexus’s back, with what was not pushed.',
    next: '',
  },
  no_available_nodes: {
    at: 'workspace',
    cause: 'Every node is away, drained, or of another engine than you asked for.',
    next: 'An administrator takes a drained one up again: `nexus node resume NODE`.',
  },
  insufficient_node_resources: {
    at: 'workspace',
    cause: 'The nodes are full, or you have as many workspaces as one person may have.',
    next: 'Delete one that is not needed any more: `nexus workspace delete NAME`.',
  },
  image_not_found: {
    at: 'workspace',
    cause: 'The image of the configuration or of `--image` is misspelt or not there.',
    next: '',
  },
  package_install_failed: {
    at: 'workspace',
    cause: 'A name under `packages` is unknown to the image’s distribution, or its mirror cannot be reached.',
    next: 'Mend the name, commit, and start the workspace again.',
  },
  container_start_failed: {
    at: 'workspace',
    cause: 'The engine of the node refused.',
    next: 'An administrator looks at the reason; `nexus workspace up NAME` tries again.',
  },
  container_not_ready: {
    at: 'workspace',
    cause: 'The node is very busy, or the image has no SSH server that starts.',
    next: '`nexus workspace up NAME` tries again.',
  },
  disk_full: {
    at: 'workspace',
    cause: 'The disk of the node is full but for what the workspaces that are there may need.',
    next: 'Delete a workspace that is not needed any more, or have the pool enlarged.',
  },
  hook_failed: {
    at: 'services',
    cause: 'A command of the repository failed: its last lines are shown.',
    next: 'The workspace is there to look into: `nexus ssh NAME`. After a mend: `nexus workspace restart NAME`.',
  },
  service_start_failed: {
    at: 'services',
    cause: 'The service ends by itself, over and over.',
    next: '',
  },
  dependency_failed: {
    at: 'services',
    cause: 'Another service that this one needs is not healthy: look at that one first.',
    next: '',
  },
  health_check_timeout: {
    at: 'services',
    cause: 'The service runs, but does not answer at the port or path of its health check.',
    next: 'It must listen on the port of the configuration; slow ones want a longer `timeout` or more `retries`.',
  },
  stream_failed: {
    at: 'editor',
    cause: 'Nothing listens at that port inside, or the gateway is being started again.',
    next: '`nexus workspace services NAME` shows what listens; otherwise try again.',
  },
  node_unreachable: {
    at: 'editor',
    cause: 'The machine of the workspace, or the agent on it, is down. What runs there goes on if the machine does.',
    next: 'What waits goes on when it is back. SSH sessions that are open stay.',
  },
  provider_unavailable: {
    at: 'node',
    cause: 'LXD or Incus is stopped, or was never set up.',
    next: 'It is found again by itself when it is back: `systemctl status lxd snap.lxd.daemon incus`.',
  },
  node_in_use: {
    at: 'node',
    cause: 'Workspaces are still on it.',
    next: 'Then delete or finish its workspaces, and `nexus node rm NODE`.',
  },
  server_already_running: {
    at: 'node',
    cause: 'The data folder has one server at a time.',
    next: 'For a second one give it a data folder of its own: `NEXUS_DATA_DIR`.',
  },
  port_pool_exhausted: {
    at: 'node',
    cause: 'Every port of `ports.services` is given out.',
    next: 'Delete workspaces, or widen the range in the server’s configuration.',
  },
  port_already_in_use: {
    at: 'node',
    cause: 'Another program listens there.',
    next: 'Stop it, or take another port: `nexus workspace port NAME PORT:LOCAL`, `listen.port` of the server.',
  },
  invalid_request: { at: 'request', cause: 'A field is missing, unknown or malformed.', next: 'See `/openapi.json`.' },
  payload_too_large: { at: 'request', cause: 'The body is too large.', next: 'Send a repository with `PUT …/source`.' },
  unsupported_media_type: { at: 'request', cause: 'The `content-type` is wrong.', next: 'Send what is expected.' },
  output_too_large: {
    at: 'request',
    cause: 'The command says more than fits into one answer.',
    next: 'Over a WebSocket, as the command line does it, there is no limit.',
  },
};
