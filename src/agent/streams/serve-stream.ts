import type { Socket } from 'node:net';
import { toNexusError } from '../../contract/errors.ts';
import { answerStream } from '../../contract/stream-client.ts';
import type { StreamRequest } from '../../contract/stream-protocol.ts';
import type { Logger } from '../../lib/log.ts';
import { runningInstance, type CommandContext } from '../commands/command-context.ts';
import { execStream } from './exec-stream.ts';
import { logsStream } from './logs-stream.ts';
import { putStream } from './put-stream.ts';
import type { StreamHandler } from './stream-context.ts';
import { tcpStream } from './tcp-stream.ts';

const handlers: { readonly [Kind in StreamRequest['kind']]: StreamHandler<Kind> } = {
  tcp: tcpStream,
  exec: execStream,
  logs: logsStream,
  put: putStream,
};

/** Takes a stream over: opens what it asks for, or answers why it cannot be opened. */
export async function serveStream(
  socket: Socket,
  request: StreamRequest,
  context: CommandContext & { readonly log: Logger },
): Promise<void> {
  try {
    const target = await runningInstance(context, request.workspace_id);
    const handler = handlers[request.kind] as StreamHandler<StreamRequest['kind']>;
    await handler(request, socket, target);
  } catch (thrown) {
    const error = toNexusError(thrown);
    context.log.warn({ err: error, kind: request.kind, workspace: request.workspace_id }, 'a stream was not opened');
    if (!socket.destroyed) answerStream(socket, error);
  }
}
