import { once } from 'node:events';
import net from 'node:net';
import { prepareSocket } from '../../src/contract/stream-client.ts';

/** The two ends of one TCP connection, set up as ours are. Disposed, both are closed. */
export async function tcpPair(): Promise<AsyncDisposable & { readonly left: net.Socket; readonly right: net.Socket }> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const left = prepareSocket(net.connect({ host: '127.0.0.1', port, allowHalfOpen: true }));
  const [[right]] = (await Promise.all([once(server, 'connection'), once(left, 'connect')])) as [[net.Socket], unknown];
  prepareSocket(right);
  return {
    left,
    right,
    async [Symbol.asyncDispose]() {
      left.destroy();
      right.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
