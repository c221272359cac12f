/**
 * What failed because an engine was away is taken up again when the engine is back: nobody needs to ask for it anew.
 * What failed for another reason would fail again.
 */
import type { ErrorBody } from '../../contract/errors.ts';
import type { ProviderHealth } from '../../contract/node.ts';
import type { Store } from '../store/store.ts';
import { setWant } from '../store/workspaces.ts';

export type EngineReturns = {
  /** Takes the health of a node's engines; returns the workspaces that are wanted anew. */
  heard(node: string, providers: readonly ProviderHealth[]): Promise<string[]>;
};

export function createEngineReturns(store: Store): EngineReturns {
  const wellOn = new Map<string, ReadonlySet<string>>();
  return {
    async heard(node, providers) {
      const before = wellOn.get(node);
      const well = new Set<string>(providers.flatMap(({ name, ok }) => (ok ? [name] : [])));
      wellOn.set(node, well);
      const returned = [...well].filter((name) => !before?.has(name));
      return returned.length === 0 ? [] : wantAgain(store, { node, providers: returned });
    },
  };
}

async function wantAgain(
  store: Store,
  { node, providers }: { node: string; providers: readonly string[] },
): Promise<string[]> {
  const failed = await store.db.selectFrom('workspaces').selectAll().where('status', '=', 'error').execute();
  const here = failed.filter((row) => (row.node ?? node) === node && providers.includes(row.provider));
  const again: string[] = [];
  for (const { id, generation, error_json } of here) {
    if (error_json === null || (JSON.parse(error_json) as ErrorBody).error !== 'provider_unavailable') continue;
    const isWanted = await store.transaction(async (tx) => {
      const row = await tx.selectFrom('workspaces').selectAll().where('id', '=', id).executeTakeFirst();
      if (row?.generation !== generation) return false;
      await setWant(tx, id, row.want, { force: row.force === 1 });
      return true;
    });
    if (isWanted) again.push(id);
  }
  return again;
}
