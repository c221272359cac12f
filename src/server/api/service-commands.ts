import { NexusError } from '../../contract/errors.ts';
import { serviceSpec } from '../../contract/service-spec.ts';
import type { ServiceView } from '../../contract/workspace.ts';
import { nearest } from '../../core/nearest.ts';
import { serviceView } from '../service-view.ts';
import { listPorts, releasePort, takePort } from '../store/ports.ts';
import type { PortRange } from '../store/ports.ts';
import type { ServiceRow } from '../store/schema.ts';
import { findService, listServices, updateService } from '../store/services.ts';
import type { Db, Tx } from '../store/store.ts';
import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace } from './find-workspace.ts';
import type { Caller, Handlers } from './handler.ts';
import { refuse } from './workspace-lifecycle.ts';

type ServiceHandlers = Pick<Handlers, 'startService' | 'stopService' | 'restartService' | 'forwardServicePort'>;
type Deps = Pick<AppDeps, 'store' | 'config' | 'reconciler'>;
type Asked = { params: { id: string; name: string }; caller: Caller };

export function serviceHandlers({ store, config, reconciler }: Deps): ServiceHandlers {
  const publicHost = config.public_host;

  async function command({ params, caller }: Asked, action: 'start' | 'stop' | 'restart'): Promise<ServiceView> {
    const { id, name } = params;
    const workspace = await findOwnWorkspace(store.db, caller, id);
    await requireService(store.db, id, name);
    refuse(workspace, 'exec');
    await store.transaction((tx) => updateService(tx, id, name, { want: action === 'stop' ? 'stopped' : 'running' }));
    await reconciler.serviceCommand(id, name, action);
    return serviceView(await requireService(store.db, id, name), { publicHost });
  }

  return {
    startService: (asked) => command(asked, 'start'),
    stopService: (asked) => command(asked, 'stop'),
    restartService: (asked) => command(asked, 'restart'),
    async forwardServicePort({ params, body, caller }) {
      const { id, name } = params;
      const forward = (occupied: ReadonlySet<number>): Promise<Forwarded> =>
        store.transaction(async (tx) => {
          const workspace = await findOwnWorkspace(tx, caller, id);
          const { want, status } = workspace;
          if (want === 'deleted') throw new NexusError('workspace_not_running', { name: workspace.name, status });
          return takeServicePort(tx, {
            workspaceId: id,
            name,
            port: body?.port,
            range: config.ports.services,
            occupied,
          });
        });
      let forwarded = await forward(new Set());
      // A port that nobody has heard of yet is left for another when another process turns out to have it.
      for (;;) {
        const { isNew, mappedPort } = forwarded;
        const occupied = await reconciler.routesApplied();
        if (!isNew || !occupied.has(mappedPort)) break;
        await store.transaction((tx) => releasePort(tx, mappedPort));
        forwarded = await forward(occupied);
      }
      const { port, mappedPort } = forwarded;
      return { name, port, mapped_port: mappedPort, url: `http://${publicHost}:${mappedPort}` };
    },
  };
}

type Forwarded = { port: number; mappedPort: number; isNew: boolean };
type ForwardWish = {
  workspaceId: string;
  name: string;
  /** Inside; absent: the one that the service declares. */
  port: number | undefined;
  range: PortRange;
  occupied: ReadonlySet<number>;
};

/** @throws not_found, invalid_request without a port, port_pool_exhausted */
async function takeServicePort(tx: Tx, { workspaceId, name, port, range, occupied }: ForwardWish): Promise<Forwarded> {
  const service = await requireService(tx, workspaceId, name);
  const declared = serviceSpec.parse(JSON.parse(service.spec_json)).port;
  const targetPort = port ?? declared;
  if (targetPort === undefined) throw portMissing();
  const before = await listPorts(tx, workspaceId);
  const wish = { pool: 'services', range, workspaceId, service: name, targetPort, except: occupied } as const;
  const mappedPort = await takePort(tx, wish);
  if (mappedPort === null) throw new NexusError('port_pool_exhausted', { pool: 'service', ...range });
  if (targetPort === declared) await updateService(tx, workspaceId, name, { mapped_port: mappedPort });
  return { port: targetPort, mappedPort, isNew: before.every((held) => held.port !== mappedPort) };
}

async function requireService(db: Db, workspaceId: string, name: string): Promise<ServiceRow> {
  const row = await findService(db, workspaceId, name);
  if (row) return row;
  const others = (await listServices(db, workspaceId)).map((service) => service.name);
  throw new NexusError('not_found', { kind: 'service', name, workspace: workspaceId, nearest: nearest(name, others) });
}

function portMissing(): NexusError {
  const problem = 'is required, as the service declares none';
  return new NexusError('invalid_request', { fields: [{ path: 'port', problem }] });
}
