import { sql } from 'kysely';
import type { Logger } from '../../lib/log.ts';
import type { Store, Tx } from '../store/store.ts';

const eventsPerWorkspace = 1000;
const day = 24 * 60 * 60_000;
/** Who was following a workspace when it was deleted reads the end of its events; nobody can ask for them afterwards. */
const keptAfterDeletionMs = 10 * 60_000;
const operationsKeptMs = 7 * day;

const pruneEveryMs = 5 * 60_000;

/** Prunes now, and again and again until it is disposed of. */
export function startPruning(
  store: Store,
  { now, log }: { readonly now: () => Date; readonly log: Logger },
): Disposable {
  const prune = (): void => {
    store
      .transaction((tx) => pruneHistory(tx, now()))
      .catch((error: unknown) => log.error({ err: error }, 'old events could not be pruned'));
  };
  prune();
  const pruning = setInterval(prune, pruneEveryMs);
  return { [Symbol.dispose]: () => clearInterval(pruning) };
}

/**
 * Forgets what nobody will ask for: old events, and operations that no plan looks at any more. The workspaces that are
 * concerned are found in the index alone: a long log is not read as long as there is nothing to forget.
 */
export async function pruneHistory(tx: Tx, now: Date): Promise<void> {
  const ago = (ms: number): string => new Date(now.getTime() - ms).toISOString();
  await sql`delete from events where at < ${ago(keptAfterDeletionMs)} and workspace_id in (
    select distinct workspace_id from events where workspace_id not in (select id from workspaces))`.execute(tx);
  await sql`delete from events where id in (
    select id from (
      select id, row_number() over (partition by workspace_id order by id desc) as age from events
      where workspace_id in (select workspace_id from events group by workspace_id having count(*) > ${eventsPerWorkspace})
    ) aged where age > ${eventsPerWorkspace})`.execute(tx);
  // Of the running generation only the starts and stops of services are many, and only their last ones are looked at.
  await sql`delete from operations where ended_at < ${ago(operationsKeptMs)} and (
    command_json like '{"do":"start_service"%' or command_json like '{"do":"stop_service"%'
    or generation < (select generation from workspaces where workspaces.id = operations.workspace_id))`.execute(tx);
}
