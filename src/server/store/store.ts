/**
 * The database. Reads go through `db`, writes through `transaction`: transactions run one after the other, and the
 * events that one appends reach the listeners after its commit.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, openSync } from 'node:fs';
import { Kysely } from 'kysely';
import type { Transaction } from 'kysely';
import type { WorkspaceEvent } from '../../contract/workspace.ts';
import { migrate } from './migrate.ts';
import type { Database } from './schema.ts';
import { openSqlite } from './sqlite-dialect.ts';

/** What reads go through: the store's `db`, or a transaction. */
export type Db = Kysely<Database>;

/** What writes go through. */
export type Tx = Transaction<Database> & {
  /** RFC 3339 UTC: when the transaction began, the one time of all that it writes. */
  readonly at: string;
  /** Tells the store's listeners after the commit; `appendEvent` calls it. */
  announce(event: WorkspaceEvent): void;
};

export type Store = AsyncDisposable & {
  readonly file: string;
  /** Name of the newest migration, e.g. `001-initial`. */
  readonly schemaVersion: string;
  /** Waits while a transaction runs. Inside of one use its `tx`: `db` throws there, as it would wait for itself. */
  readonly db: Db;
  /** Commits when `run` resolves, rolls back when it rejects. */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  /** Calls `listener` for each event after its commit, in order. Returns what ends it. */
  onEvent(listener: (event: WorkspaceEvent) => void): () => void;
};

/**
 * Opens the database at `file`, made (0600) when there is none, and brings it to this version's schema.
 * @throws config_invalid when a newer version has written it
 */
export async function openStore(file: string, { now }: { now: () => Date }): Promise<Store> {
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const kysely = new Kysely<Database>({ dialect: openSqlite(file) });
  const schemaVersion = await migrate(kysely, file).catch(async (error: unknown) => {
    await kysely.destroy();
    throw error;
  });
  const current = new AsyncLocalStorage<{ open: boolean }>();
  const listeners = new Set<(event: WorkspaceEvent) => void>();
  const refuseInside = (): void => {
    if (current.getStore()?.open) throw new Error('inside a transaction, use its tx: the store would wait for itself');
  };

  return {
    file,
    schemaVersion,
    get db() {
      refuseInside();
      return kysely;
    },
    async transaction(run) {
      refuseInside();
      const announced: WorkspaceEvent[] = [];
      const scope = { open: true };
      const result = await kysely
        .transaction()
        .execute((transaction) => {
          const tx = Object.assign(transaction, {
            at: now().toISOString(),
            announce: (event: WorkspaceEvent) => void announced.push(event),
          });
          return current.run(scope, run, tx);
        })
        .finally(() => (scope.open = false));
      for (const event of announced) for (const listener of listeners) listener(event);
      return result;
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      await kysely.destroy();
    },
  };
}
