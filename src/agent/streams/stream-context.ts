import type { Socket } from 'node:net';
import type { StreamRequest } from '../../contract/stream-protocol.ts';
import type { FoundInstance } from '../commands/command-context.ts';

export type Request<Kind extends StreamRequest['kind']> = Extract<StreamRequest, { kind: Kind }>;

/** Answers the request and carries its bytes until either side ends. Throws only before it has answered. */
export type StreamHandler<Kind extends StreamRequest['kind']> = (
  request: Request<Kind>,
  socket: Socket,
  target: FoundInstance,
) => Promise<void>;
