/** Whose a token was when GitHub was asked last; only hashes (SHA-256, hex) are kept. */
import type { SeenTokenRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export function findSeenToken(db: Db, hash: string): Promise<SeenTokenRow | undefined> {
  return db.selectFrom('seen_tokens').selectAll().where('token_hash', '=', hash).executeTakeFirst();
}

/** Seen now. Those that were seen before `keptSince` (RFC 3339) are forgotten. */
export async function keepSeenToken(
  tx: Tx,
  token: Omit<SeenTokenRow, 'seen_at'>,
  { keptSince }: { keptSince: string },
): Promise<void> {
  await tx.deleteFrom('seen_tokens').where('seen_at', '<', keptSince).execute();
  const row = { ...token, seen_at: tx.at };
  await tx
    .insertInto('seen_tokens')
    .values(row)
    .onConflict((conflict) => conflict.column('token_hash').doUpdateSet(row))
    .execute();
}

export async function forgetToken(tx: Tx, hash: string): Promise<void> {
  await tx.deleteFrom('seen_tokens').where('token_hash', '=', hash).execute();
}
