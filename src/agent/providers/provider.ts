import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * The seam between the agent and an engine. Everything above it is engine-agnostic; engines differ by
 * `capabilities`, which are data. Every operation is idempotent, and every failure is a `NexusError` whose
 * cause is the engine's own.
 */
export interface Provider {
  readonly name: ProviderName;
  readonly capabilities: Capabilities;

  /** Is the engine there, and how much room has it? @throws provider_unavailable */
  probe(): Promise<EngineHealth>;

  /**
   * Makes sure that the base for an image (and packages) is on the node; builds it when it is not. Concurrent
   * calls for one base share one build.
   * @throws image_not_found, package_install_failed, disk_full, provider_unavailable
   */
  ensureBase(base: BaseSpec, options: { onProgress?: (line: string) => void; signal?: AbortSignal }): Promise<BaseRef>;

  /** All instances of this cluster on the node: one cheap call. */
  list(): Promise<Instance[]>;
  inspect(id: string): Promise<Instance | null>;

  /** A stopped copy-on-write copy of the base. An existing instance of this id is left as it is. */
  create(spec: InstanceSpec): Promise<Instance>;
  /** Returns when the init process runs, not when sshd answers. @throws container_start_failed */
  start(id: string): Promise<void>;
  /** Clean shutdown, killed after `timeoutMs`; at once with `force`. */
  stop(id: string, options: { timeoutMs: number; force: boolean }): Promise<void>;
  /** Stops and removes the instance with all that belongs to it. An absent one is success. */
  remove(id: string): Promise<void>;

  exec(id: string, spec: ExecSpec): Promise<ExecHandle>;
  putFile(id: string, path: string, content: Readable | Buffer, options: FileOptions): Promise<void>;
  getFile(id: string, path: string): Promise<Readable>;

  /**
   * A TCP connection to a port inside the instance, also to one that listens on the instance's loopback only.
   * @throws stream_failed
   */
  dial(id: string, port: number): Promise<Duplex>;

  [Symbol.asyncDispose](): Promise<void>;
}

export type ProviderName = 'lxc' | 'docker' | 'qemu';

export type Capabilities = {
  /** What runs services inside the instance. */
  readonly init: 'systemd' | 'none';
  readonly freeze: boolean;
  readonly snapshot: boolean;
  /** The address of an instance can be reached from every process of the node. */
  readonly directAddress: boolean;
};

export type EngineHealth = {
  readonly engine: string;
  readonly version: string;
  readonly diskTotalBytes: number;
  readonly diskFreeBytes: number;
};

/** `packages` are Debian or Ubuntu package names; order and repeats do not matter. */
export type BaseSpec = { readonly image: string; readonly packages: readonly string[] };

/** `name` is the engine's name of the ready-made instance; the same `BaseSpec` gives the same name. */
export type BaseRef = { readonly name: string; readonly image: string; readonly packages: readonly string[] };

export type InstanceSpec = {
  /** Workspace id (`ws-` and 12 of `[a-z0-9]`); the engine's name is `nexus-` and the 12. */
  readonly id: string;
  readonly base: BaseRef;
  /** Host name inside. */
  readonly hostname: string;
  readonly limits: InstanceLimits;
  /** A folder of the node that the workspace sees, and cannot change. What is missing when it starts is left out. */
  readonly folder?: { readonly source: string; readonly path: string };
};

export type InstanceLimits = {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
};

export type Instance = {
  readonly id: string;
  readonly state: 'running' | 'stopped' | 'frozen';
  /** IPv4 address, fixed for the life of the instance. */
  readonly address: string | null;
  /** Name of the base that it was copied from. */
  readonly base: string;
};

export type ExecSpec = {
  readonly command: readonly string[];
  /** Absent: root. */
  readonly user?: 'root' | 'dev';
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Present: a pseudo-terminal of this size; stdout carries both streams. */
  readonly terminal?: { readonly columns: number; readonly rows: number; readonly type: string };
};

/** A running command. Ending `stdin` gives it end-of-file; `kill` ends it with all its children where the engine can. */
export type ExecHandle = {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles after stdout and stderr have ended. 128 + n for signal n. */
  readonly exitCode: Promise<number>;
  resize(size: { columns: number; rows: number }): void;
  kill(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP'): void;
};

export type FileOptions = { readonly mode: number; readonly owner: 'root' | 'dev' };
