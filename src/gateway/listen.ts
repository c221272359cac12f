import net from 'node:net';

/** Whether a port may be listened on beside another process that does. */
export type Sharing = 'exclusive' | 'shareable' | 'shared';

/**
 * Listens, or says why it cannot. `shareable` makes sure that nobody else has the port, and lets a successor listen
 * beside us; `shared` is that successor. Any process of the same user that asks for `reusePort` would else get a part
 * of our connections in silence, and we of its.
 */
export async function listen(
  server: net.Server,
  address: { readonly host: string; readonly port: number },
  sharing: Sharing,
): Promise<number> {
  if (sharing === 'shareable' && address.port !== 0) {
    const probe = net.createServer();
    await listenOnce(probe, { ...address, reusePort: false });
    await new Promise((resolve) => probe.close(resolve));
  }
  await listenOnce(server, { ...address, reusePort: sharing !== 'exclusive' });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no port');
  return bound.port;
}

function listenOnce(server: net.Server, options: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
