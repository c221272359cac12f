/** First answers under an `Idempotency-Key`, for those who ask again. */
import type { IdempotencyRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

/** The answer of at least `since` (RFC 3339). */
export function findAnswer(
  db: Db,
  { userId, key, since }: { userId: string; key: string; since: string },
): Promise<IdempotencyRow | undefined> {
  return db
    .selectFrom('idempotency')
    .selectAll()
    .where('user_id', '=', userId)
    .where('key', '=', key)
    .where('created_at', '>=', since)
    .executeTakeFirst();
}

/** Replaces an answer under the same key that is too old to count. */
export async function keepAnswer(tx: Tx, answer: Omit<IdempotencyRow, 'created_at'>): Promise<void> {
  const { user_id: _user, key: _key, ...changed } = { ...answer, created_at: tx.at };
  await tx
    .insertInto('idempotency')
    .values({ ...answer, created_at: tx.at })
    .onConflict((conflict) => conflict.columns(['user_id', 'key']).doUpdateSet(changed))
    .execute();
}

/** Answers of before `before` (RFC 3339). */
export async function pruneAnswers(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('idempotency').where('created_at', '<', before).execute();
}
