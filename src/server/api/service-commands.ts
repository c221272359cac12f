import { NexusError } from '../../contract/errors.ts';
import { serviceSpec } from '../../contract/service-spec.ts';
import type { ServiceView } from '../../contract/workspace.ts';
import { nearest } from '../../core/nearest.ts';
import { serviceView } from '../service-view.ts';
import { takePort } from '../store/ports.ts';
import type { ServiceRow } from '../store/schema.ts';
import { findService, listServices, updateService } from '../store/services.ts';
import type { Db } from '../store/store.ts';
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
      const { first, last } = config.ports.services;
      const { port, mappedPort } = await store.transaction(async (tx) => {
        const workspace = await findOwnWorkspace(tx, caller, id);
        const service = await requireService(tx, id, name);
        const { want, status } = workspace;
        if (want === 'deleted') throw new NexusError('workspace_not_running', { name: workspace.name, status });
        const declared = serviceSpec.parse(JSON.parse(service.spec_json)).port;
        const targetPort = body?.port ?? declared;
        if (targetPort === undefined) throw portMissing();
        const wish = { pool: 'services', range: { first, last }, workspaceId: id, service: name, targetPort } as const;
        const taken = await takePort(tx, wish);
        if (taken === null) throw new NexusError('port_pool_exhausted', { pool: 'service', first, last });
        if (targetPort === declared) await updateService(tx, id, name, { mapped_port: taken });
        return { port: targetPort, mappedPort: taken };
      });
      reconciler.routesChanged();
      return { name, port, mapped_port: mappedPort, url: `http://${publicHost}:${mappedPort}` };
    },
  };
}

async function requireService(db: Db, workspaceId: string, name: string): Promise<ServiceRow> {
  const row = await findService(db, workspaceId, name);
  if (row) return row;
  const others = (await listServices(db, workspaceId)).map((service) => service.name);
  throw new NexusError('not_found', { kind: 'service', name, nearest: nearest(name, others) });
}

function portMissing(): NexusError {
  const problem = 'is required, as the service declares none';
  return new NexusError('invalid_request', { fields: [{ path: 'port', problem }] });
}
