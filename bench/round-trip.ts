/** A byte there and back over one open connection: through the gateway's port of a service beside straight to it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { api, type Installation } from '../test/support/installation.ts';
import { addressOf } from './bare-workspace.ts';
import { milliseconds, range, type Figure } from './figure.ts';
import { withInstallation } from './installation.ts';
import { inTurn, summarize } from './statistics.ts';
import { emptyBundle } from '../test/support/empty-bundle.ts';
import { createWorkspace, untilRunning } from './workspaces.ts';

const mostMoreMs = 0.1;
const tripsOfRun = 1_000;
const echo = {
  name: 'echo',
  port: 7000,
  command: `exec node -e 'require("net").createServer((s) => s.setNoDelay().pipe(s)).listen(7000, "0.0.0.0")'`,
};

export function benchRoundTrip({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  return withInstallation(async (nexus) => {
    const { gateway, straight } = await openConnections(nexus);
    const pair = await inTurn(
      runs * 2,
      () => medianTrip(gateway),
      () => medianTrip(straight),
    );
    gateway.destroy();
    straight.destroy();
    return [
      {
        what: `a byte there and back through the gateway | straight (medians of ${tripsOfRun})`,
        ours: milliseconds(pair.ours, 3),
        theirs: milliseconds(pair.theirs, 3),
        compared: `${range(pair.more, 3)} ms more`,
        bound: `< ${mostMoreMs} ms more`,
        isWithin: pair.more.median < mostMoreMs,
      },
    ];
  });
}

async function openConnections(nexus: Installation): Promise<{ gateway: Socket; straight: Socket }> {
  const { workspace_id } = await createWorkspace(nexus, await emptyBundle(nexus), 'round-trip', [echo]);
  await untilRunning(nexus, 1);
  const { services } = await api<{ services: { mapped_port: number }[] }>(
    nexus,
    'GET',
    `/workspaces/${workspace_id}/services`,
  );
  return {
    gateway: await open('127.0.0.1', services[0]?.mapped_port ?? 0),
    straight: await open(await addressOf(workspace_id), echo.port),
  };
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function medianTrip(socket: Socket): Promise<number> {
  const trips: number[] = [];
  return new Promise((resolve, reject) => {
    let sentAt = performance.now();
    const onData = (): void => {
      const now = performance.now();
      trips.push(now - sentAt);
      if (trips.length < tripsOfRun) {
        sentAt = performance.now();
        socket.write('x');
        return;
      }
      socket.off('data', onData).off('close', onClose);
      resolve(summarize(trips).median);
    };
    const onClose = (): void => reject(new Error('the connection was closed'));
    socket.on('data', onData).once('close', onClose);
    socket.write('x');
  });
}
