import type { ServiceSpec } from '../../contract/service-spec.ts';
import type { ServicePatch, ServiceRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export type ServiceOfWorkspace = ServiceRow & { workspace_name: string };

/** In the order in which the repository names them. */
export function listServices(db: Db, workspaceId: string): Promise<ServiceRow[]> {
  return db.selectFrom('services').selectAll().where('workspace_id', '=', workspaceId).orderBy('position').execute();
}

/** Every service of every workspace, or of one owner's. */
export function listServicesOf(db: Db, ownerId: string): Promise<ServiceOfWorkspace[]> {
  return db
    .selectFrom('services')
    .innerJoin('workspaces', 'workspaces.id', 'services.workspace_id')
    .selectAll('services')
    .select('workspaces.name as workspace_name')
    .where('workspaces.owner_id', '=', ownerId)
    .orderBy('workspaces.created_at')
    .orderBy('workspaces.id')
    .orderBy('services.position')
    .execute();
}

export function findService(db: Db, workspaceId: string, name: string): Promise<ServiceRow | undefined> {
  return db
    .selectFrom('services')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('name', '=', name)
    .executeTakeFirst();
}

/** Makes the workspace's services these: new ones are wanted running, known ones keep their state, others go. */
export async function replaceServices(tx: Tx, workspaceId: string, specs: readonly ServiceSpec[]): Promise<void> {
  const names = specs.map(({ name }) => name);
  await tx
    .deleteFrom('services')
    .where('workspace_id', '=', workspaceId)
    .$if(names.length > 0, (query) => query.where('name', 'not in', names))
    .execute();
  for (const [position, spec] of specs.entries()) {
    const changed = { position, spec_json: JSON.stringify(spec) };
    await tx
      .insertInto('services')
      .values({
        workspace_id: workspaceId,
        name: spec.name,
        want: 'running',
        status: 'pending',
        health: 'unknown',
        ...changed,
      })
      .onConflict((conflict) => conflict.columns(['workspace_id', 'name']).doUpdateSet(changed))
      .execute();
  }
}

export async function updateService(tx: Tx, workspaceId: string, name: string, patch: ServicePatch): Promise<void> {
  await tx
    .updateTable('services')
    .set(patch)
    .where('workspace_id', '=', workspaceId)
    .where('name', '=', name)
    .execute();
}
