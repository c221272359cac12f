/**
 * What the other roles do for commands. Roles never import each other: `main.ts` alone knows them all and hands their
 * functions over in this shape, each loaded when it is called. The long-running ones take signals themselves.
 */
import type { ServerConfig } from '../contract/server-config.ts';

/** What the check of a node found; `fix` is a command that puts it right. */
export type NodeFinding = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix: string | null;
};

export type ServerOptions = {
  readonly config: ServerConfig;
  readonly programCommand: readonly string[];
  readonly version: string;
};

export type GatewayOptions = {
  readonly serverUrl: string;
  readonly stateDir: string;
  readonly host: string;
  readonly streamHost: string;
  readonly streamPort: number;
  readonly joinToken: string | undefined;
  readonly version: string;
};

export type AgentOptions = {
  readonly serverUrl: string;
  readonly name: string;
  readonly stateDir: string;
  readonly joinToken: string | undefined;
  readonly version: string;
  /** Runs this program as `relay`; the port is appended. */
  readonly relayCommand: readonly string[];
};

export type Roles = {
  loadServerConfig(file: string | undefined): Promise<ServerConfig>;
  runServer(options: ServerOptions): Promise<void>;
  runGateway(options: GatewayOptions): Promise<void>;
  runAgent(options: AgentOptions): Promise<void>;
  /** @returns the exit code */
  runRelay(port: number): Promise<number>;
  /** `poolBytes` undefined: sensible for the disk; `reach` undefined: as before. @returns what was done, for programs */
  setUpNode(options: {
    poolBytes: number | undefined;
    reach: readonly string[] | undefined;
    onStep: (line: string) => void;
  }): Promise<unknown>;
  checkNode(): Promise<readonly NodeFinding[]>;
  tearDownNode(options: { onStep: (line: string) => void }): Promise<void>;
};
