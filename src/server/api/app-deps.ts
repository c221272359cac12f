import type pino from 'pino';
import type { ServerConfig } from '../../contract/server-config.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { CheckRepository } from '../github/check-repository.ts';
import type { WebSignIn } from '../auth/web-sign-in.ts';
import type { OpenStream, Peers, Reconciler } from '../collaborators.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';

/** What the API stands on; each family of handlers takes its part of it. */
export type AppDeps = {
  readonly config: ServerConfig;
  readonly store: Store;
  readonly reconciler: Reconciler;
  readonly peers: Peers;
  readonly openStream: OpenStream;
  readonly authenticator: Authenticator;
  readonly checkRepository: CheckRepository;
  /** Null without an OAuth App. */
  readonly webSignIn: WebSignIn | null;
  readonly metrics: Metrics;
  readonly log: pino.Logger;
  readonly now: () => Date;
  /** The server's ed25519 key, base64: join tokens carry its fingerprint. */
  readonly serverPublicKey: string;
  /** The compiled program that runs, which others may download; null when the sources run. */
  readonly ownProgram: string | null;
  /** Between two comments on a quiet stream of events. */
  readonly heartbeatMs?: number;
  /** How long a body that is no upload may take to arrive. */
  readonly bodyWithinMs?: number;
};

/** With what the app itself adds. */
export type HandlerDeps = AppDeps & {
  /** Aborted when the server begins to stop: whatever has no end of its own ends then. */
  readonly closing: AbortSignal;
};
