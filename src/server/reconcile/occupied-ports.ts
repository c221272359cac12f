/** Ports of the gateway's host that another process has: learned from the gateway, and tried again after a while. */
import type { PeerEvent } from '../control/peer-events.ts';
import { releasePort, takePort } from '../store/ports.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { updateService } from '../store/services.ts';
import type { Tx } from '../store/store.ts';
import { findWorkspace, updateWorkspace } from '../store/workspaces.ts';

type Failed = Extract<PeerEvent, { type: 'routes_applied' }>['failed'];

export type OccupiedPorts = {
  /** What the gateway said of each. */
  current(): ReadonlyMap<number, string>;
  /** `failed` of a table with routes on `listened`. */
  applied(listened: readonly number[], failed: Failed): void;
};

/** A port that is in no table is not tried by the gateway: after this long it is worth a try. */
const forgetAfterMs = 10 * 60_000;

/** @param now ms of a clock that does not jump */
export function createOccupiedPorts(now: () => number = () => performance.now()): OccupiedPorts {
  const ports = new Map<number, { reason: string; atMs: number }>();
  return {
    current() {
      return new Map([...ports].map(([port, { reason }]) => [port, reason]));
    },
    applied(listened, failed) {
      const nowMs = now();
      for (const port of listened) ports.delete(port);
      for (const [port, { atMs }] of ports) if (nowMs - atMs > forgetAfterMs) ports.delete(port);
      for (const { listen, reason } of failed) ports.set(listen, { reason, atMs: nowMs });
    },
  };
}

/**
 * Gives a workspace another port for one that cannot be listened on, as long as nobody can rely on it: until its first
 * run. Returns the workspace that has the port, and whether it was moved.
 */
export async function movePort(
  tx: Tx,
  port: number,
  settings: { readonly ports: ServerConfig['ports']; readonly occupied: ReadonlySet<number> },
): Promise<{ workspaceId: string; moved: boolean } | null> {
  const held = await tx.selectFrom('ports').selectAll().where('port', '=', port).executeTakeFirst();
  const row = held && (await findWorkspace(tx, held.workspace_id));
  if (!held || !row) return null;
  const workspaceId = row.id;
  const isNew = row.generation === 1 && (row.status === 'pending' || row.status === 'creating');
  if (!isNew) return { workspaceId, moved: false };
  const { pool, service, target_port } = held;
  await releasePort(tx, port);
  const wish = { pool, range: settings.ports[pool], workspaceId, service, targetPort: target_port };
  const other = await takePort(tx, { ...wish, except: settings.occupied });
  if (service === null) await updateWorkspace(tx, workspaceId, { ssh_port: other });
  else await updateService(tx, workspaceId, service, { mapped_port: other });
  return { workspaceId, moved: true };
}
