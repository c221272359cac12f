import type { Duplex } from 'node:stream';
import { answerStream } from '../../contract/stream-client.ts';
import type { StreamHandler } from './stream-context.ts';

/** A TCP connection to a port inside. Each direction ends by itself; an error ends both. @throws stream_failed */
export const tcpStream: StreamHandler<'tcp'> = async ({ port }, socket, { provider, instance }) => {
  const inside = await provider.dial(instance.id, port);
  answerStream(socket, { ok: true });
  join(socket, inside);
};

function join(a: Duplex, b: Duplex): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.once('error', () => to.destroy());
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}
