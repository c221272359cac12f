/** Both ends of a TCP connection, as an agent and the opener of a stream have them. */
import { once } from 'node:events';
import net from 'node:net';
import { prepareSocket } from '../../src/contract/stream-client.ts';

export type StreamPair = { readonly agent: net.Socket; readonly opener: net.Socket };

export async function streamPair(): Promise<StreamPair> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const opener = prepareSocket(net.connect({ host: '127.0.0.1', port, allowHalfOpen: true }));
  const [[agent]] = (await Promise.all([once(server, 'connection'), once(opener, 'connect')])) as [
    [net.Socket],
    unknown,
  ];
  server.close();
  return { agent: prepareSocket(agent), opener };
}
