import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import type { ErrorBody } from '../../contract/errors.ts';
import type { ResolvedConfig, ServiceSpec } from '../../contract/service-spec.ts';
import type { ServiceHealth, ServiceStatus, WorkspaceStatus } from '../../contract/workspace.ts';
import type { Candidate } from '../placement.ts';

/** A command of this generation that was answered, as the journal of operations has it. Times in ms since the epoch. */
export type Done = {
  readonly command: AgentCommand;
  readonly error: ErrorBody | null;
  readonly startedAt: number;
  readonly endedAt: number;
};

export type WantedService = { readonly spec: ServiceSpec; readonly want: 'running' | 'stopped' };

/** What should be: a row of `workspaces` with all that belongs to it. Times in ms since the epoch. */
export type Want = {
  readonly id: string;
  readonly name: string;
  readonly state: 'running' | 'stopped' | 'deleted';
  readonly force: boolean;
  /** The status that was concluded last. */
  readonly status: WorkspaceStatus;
  readonly node: string | null;
  readonly provider: 'lxc' | 'docker' | 'qemu';
  /** The base as far as it is known: the request's, and the configuration's once that was read. */
  readonly image: string;
  readonly packages: readonly string[];
  readonly limits: {
    readonly cpu: number;
    readonly memory_bytes: number;
    readonly disk_bytes: number;
    readonly processes: number;
  };
  readonly sshKeys: readonly string[];
  /** `host`: of the GitHub whose credentials are lent, `https://github.com`. */
  readonly git: { readonly name: string; readonly email: string; readonly host: string } | null;
  readonly repo: { readonly url: string; readonly ref: string | null; readonly upstreamUrl: string | null };
  /** `arrived` null: the repository is cloned from its URL and nothing is uploaded. */
  readonly upload: { readonly arrived: boolean } | null;
  /** Null until the configuration was read in an instance of the right base: from then on the base is kept. */
  readonly config: ResolvedConfig | null;
  /** In the order of the configuration; empty as long as `config` is null. */
  readonly services: readonly WantedService[];
  readonly wantedAt: number;
  /** What was done for this generation, oldest first. */
  readonly done: readonly Done[];
  /** The `configure` that the instance took last, in any generation. */
  readonly configuredWith: Extract<AgentCommand, { do: 'configure' }> | null;
};

/** What is, as far as it is known. */
export type Seen = {
  /** Whether the workspace's node answers. */
  readonly reachable: boolean;
  readonly observation: Observation | null;
  /** Why it could not be observed, how often in a row, and when last (ms since the epoch). */
  readonly blind: { readonly error: ErrorBody; readonly attempts: number; readonly atMs: number } | null;
  readonly fleet: readonly Candidate[];
};

/** `step` is how api.md names it, for people who wait. */
export type Step =
  | { readonly do: 'place'; readonly node: string }
  | { readonly do: 'command'; readonly command: AgentCommand; readonly step: string };

export type ServiceVerdict = {
  readonly name: string;
  readonly status: ServiceStatus;
  readonly health: ServiceHealth;
  readonly lastCheck: string | null;
  readonly error: ErrorBody | null;
};

/**
 * What to do next. `status` is what the workspace is called meanwhile; `untilMs` (since the epoch) is when to look
 * again at the latest, whatever happens before.
 */
export type Plan =
  | {
      readonly kind: 'do';
      readonly status: WorkspaceStatus;
      readonly steps: readonly Step[];
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'wait';
      readonly status: WorkspaceStatus;
      readonly reason: string;
      readonly step: string | null;
      readonly untilMs: number | null;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'settled';
      readonly status: 'running' | 'stopped';
      readonly untilMs: number | null;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly error: ErrorBody; readonly warnings: readonly string[] };
