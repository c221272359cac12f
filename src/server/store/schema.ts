/** The tables. Times are RFC 3339 UTC texts; columns that end in `_json` hold the contract's types as JSON. */
import type { ColumnType, Generated, Selectable, Updateable } from 'kysely';

export type Database = {
  settings: SettingsTable;
  users: UsersTable;
  seen_tokens: SeenTokensTable;
  git_credentials: GitCredentialsTable;
  workspaces: WorkspacesTable;
  services: ServicesTable;
  ports: PortsTable;
  nodes: NodesTable;
  join_tokens: JoinTokensTable;
  operations: OperationsTable;
  events: EventsTable;
  idempotency: IdempotencyTable;
};

type SettingsTable = { name: string; value: string };

type UsersTable = {
  id: string;
  github_username: string;
  github_id: number;
  ssh_pubkey: string | null;
  ssh_pubkey_fingerprint: string | null;
  registered_at: string;
};

type SeenTokensTable = { token_hash: string; github_id: number; login: string; seen_at: string };

type GitCredentialsTable = {
  github_id: number;
  login: string;
  /** As they are shown on GitHub; null when they are not. */
  name: string | null;
  email: string | null;
  /** Encrypted with a key that is not in the database; null since GitHub refused it. */
  sealed_token: string | null;
  /** SHA-256, hex: of the token that was refused, when there is none. */
  token_hash: string | null;
  /** Encrypted likewise: GitHub's refresh token, for one that ends. */
  sealed_renewal: string | null;
  expires_at: string | null;
};

type WorkspacesTable = {
  id: string;
  owner_id: string;
  name: string;
  /** What should be. Requests write it (with the first `status` and `generation` that follow from it) and nothing else after creation. */
  want: 'running' | 'stopped' | 'deleted';
  /** Counts up with every request that changes `want` or asks for another try: a failure of an older one is forgotten. */
  generation: Generated<number>;
  force: Generated<number>;
  /** What is, as last concluded from the node's observation and the plan. */
  status: string;
  step: string | null;
  error_json: string | null;
  warnings_json: Generated<string>;
  node: string | null;
  provider: string;
  image: string;
  /** CreateWorkspaceRequest. */
  request_json: string;
  /** ResolvedConfig, once the repository was read. */
  config_json: string | null;
  packages_json: Generated<string>;
  /** Whether the bundle of a workspace with `repo.source` `upload` is in `data_dir/uploads`. */
  uploaded: Generated<number>;
  ssh_port: number | null;
  /** Of the running instance on its node: what the gateway's routes lead to, also while the node is away. */
  address: string | null;
  host_key: string | null;
  branch: string | null;
  commit_id: string | null;
  created_at: ColumnType<string, string, never>;
  updated_at: string;
  /** When the current `want` was asked for: deadlines and durations count from it. */
  wanted_at: string;
  stopped_at: string | null;
};

type ServicesTable = {
  workspace_id: string;
  name: string;
  position: number;
  /** ServiceSpec. */
  spec_json: string;
  want: 'running' | 'stopped';
  status: string;
  health: string;
  mapped_port: number | null;
  last_check: string | null;
  error_json: string | null;
};

/** Every port that is given out, of either pool. The primary key is what makes it given out once. */
type PortsTable = {
  port: number;
  pool: 'ssh' | 'services';
  workspace_id: string;
  /** Null for SSH. */
  service: string | null;
  /** Inside the workspace. */
  target_port: number;
};

type NodesTable = {
  name: string;
  role: 'agent' | 'gateway';
  public_key: string;
  draining: Generated<number>;
  version: string | null;
  machine: string | null;
  last_heartbeat: string | null;
  providers_json: Generated<string>;
  joined_at: string;
};

type JoinTokensTable = {
  token_hash: string;
  role: 'agent' | 'gateway';
  name: string;
  expires_at: string;
  used_at: string | null;
};

/** The journal: every command sent to an agent, until its answer was taken into account. */
type OperationsTable = {
  id: string;
  workspace_id: string;
  node: string;
  /** AgentCommand. */
  command_json: string;
  generation: number;
  started_at: string;
  ended_at: string | null;
  error_json: string | null;
};

type EventsTable = { id: Generated<number>; workspace_id: string; type: string; at: string; data_json: string };

type IdempotencyTable = {
  user_id: string;
  key: string;
  request_hash: string;
  status: number;
  response_json: string;
  created_at: string;
};

export type UserRow = Selectable<UsersTable>;
export type SeenTokenRow = Selectable<SeenTokensTable>;
export type GitCredentialRow = Selectable<GitCredentialsTable>;
export type WorkspaceRow = Selectable<WorkspacesTable>;
export type WorkspacePatch = Omit<Updateable<WorkspacesTable>, 'id' | 'updated_at'>;
export type ServiceRow = Selectable<ServicesTable>;
export type ServicePatch = Omit<Updateable<ServicesTable>, 'workspace_id' | 'name'>;
export type PortRow = Selectable<PortsTable>;
export type NodeRow = Selectable<NodesTable>;
export type NodePatch = Omit<Updateable<NodesTable>, 'name'>;
export type JoinTokenRow = Selectable<JoinTokensTable>;
export type OperationRow = Selectable<OperationsTable>;
export type IdempotencyRow = Selectable<IdempotencyTable>;
