import { NexusError } from '../../contract/errors.ts';
import { serviceView } from '../service-view.ts';
import { listServices, listServicesOf } from '../store/services.ts';
import { findUser, findUserByName } from '../store/users.ts';
import { listWorkspaces } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace } from './find-workspace.ts';
import type { Caller, Handlers } from './handler.ts';
import { workspaceSummary, workspaceView } from './workspace-view.ts';

type ReadHandlers = Pick<Handlers, 'listWorkspaces' | 'getWorkspace' | 'listWorkspaceServices' | 'listServices'>;

export function readHandlers({ store, config }: Pick<AppDeps, 'store' | 'config'>): ReadHandlers {
  const publicHost = config.public_host;

  /** Whose workspaces are listed: `none` for a user that is not there, or may not be seen. */
  async function ownerFilter(caller: Caller, owner: string | undefined): Promise<{ ownerId?: string } | 'none'> {
    if (caller.admin && owner === undefined) return {};
    if (owner === undefined || owner === caller.githubUsername)
      return caller.user ? { ownerId: caller.user.id } : 'none';
    const asked = caller.admin ? await findUserByName(store.db, owner) : undefined;
    return asked ? { ownerId: asked.id } : 'none';
  }

  return {
    async listWorkspaces({ query, caller }) {
      const { limit, offset, status, owner } = query;
      const filter = await ownerFilter(caller, owner);
      if (filter === 'none') return { workspaces: [], total: 0, limit, offset };
      const { rows, total } = await listWorkspaces(store.db, { ...filter, status, limit, offset });
      return { workspaces: rows.map(workspaceSummary), total, limit, offset };
    },
    async getWorkspace({ params, caller }) {
      const workspace = await findOwnWorkspace(store.db, caller, params.id);
      const owner = await findUser(store.db, workspace.owner_id);
      if (!owner) throw new NexusError('not_found', { kind: 'workspace', name: params.id });
      const services = await listServices(store.db, workspace.id);
      return workspaceView({ workspace, owner, services, publicHost, githubUrl: config.github.web_url });
    },
    async listWorkspaceServices({ params, caller }) {
      const { id } = await findOwnWorkspace(store.db, caller, params.id);
      const rows = await listServices(store.db, id);
      return { services: rows.map((row) => serviceView(row, { publicHost })) };
    },
    async listServices({ caller }) {
      const rows = caller.user ? await listServicesOf(store.db, caller.user.id) : [];
      const services = rows.map((row) => ({
        ...serviceView(row, { publicHost }),
        workspace_id: row.workspace_id,
        workspace_name: row.workspace_name,
      }));
      return { services };
    },
  };
}
