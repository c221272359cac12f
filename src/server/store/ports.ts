/** Ports of the host, given out once each: the primary key sees to it, the transaction to which. */
import type { PortRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export type PortRange = { readonly first: number; readonly last: number };
export type PortWish = {
  pool: PortRow['pool'];
  range: PortRange;
  workspaceId: string;
  /** Null for SSH. */
  service: string | null;
  /** Inside the workspace. */
  targetPort: number;
  /** Ports that another process of the host was found to have. */
  except?: ReadonlySet<number>;
};

/** The lowest free port; the same one again for a wish that was granted before. Null when the pool is empty. */
export async function takePort(
  tx: Tx,
  { pool, range, workspaceId, service, targetPort, except }: PortWish,
): Promise<number | null> {
  const granted = await tx
    .selectFrom('ports')
    .select('port')
    .where('workspace_id', '=', workspaceId)
    .where('pool', '=', pool)
    .where('service', service === null ? 'is' : '=', service)
    .where('target_port', '=', targetPort)
    .executeTakeFirst();
  if (granted) return granted.port;
  const taken = await tx
    .selectFrom('ports')
    .select('port')
    .where('port', '>=', range.first)
    .where('port', '<=', range.last)
    .execute();
  const unavailable = new Set([...taken.map(({ port }) => port), ...(except ?? [])]);
  let port = range.first;
  while (unavailable.has(port)) port++;
  if (port > range.last) return null;
  await tx
    .insertInto('ports')
    .values({ port, pool, workspace_id: workspaceId, service, target_port: targetPort })
    .execute();
  return port;
}

export async function releasePort(tx: Tx, port: number): Promise<void> {
  await tx.deleteFrom('ports').where('port', '=', port).execute();
}

/** Every port that is given out, or those of one workspace, lowest first. */
export function listPorts(db: Db, workspaceId?: string): Promise<PortRow[]> {
  const all = db.selectFrom('ports').selectAll().orderBy('port');
  return (workspaceId === undefined ? all : all.where('workspace_id', '=', workspaceId)).execute();
}

/** How many ports of a range are not given out. */
export async function countFreePorts(db: Db, { first, last }: PortRange): Promise<number> {
  const { taken } = await db
    .selectFrom('ports')
    .select((select) => select.fn.countAll<number | string>().as('taken'))
    .where('port', '>=', first)
    .where('port', '<=', last)
    .executeTakeFirstOrThrow();
  return last - first + 1 - Number(taken);
}
