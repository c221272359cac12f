/** One-time tokens of nodes and gateways that are to join; only their hashes are kept. */
import type { JoinTokenRow } from './schema.ts';
import type { Tx } from './store.ts';

/** A new token for the same name and role replaces an unused one. */
export async function insertJoinToken(tx: Tx, token: Omit<JoinTokenRow, 'used_at'>): Promise<void> {
  await tx
    .deleteFrom('join_tokens')
    .where('name', '=', token.name)
    .where('role', '=', token.role)
    .where('used_at', 'is', null)
    .execute();
  await tx
    .insertInto('join_tokens')
    .values({ ...token, used_at: null })
    .execute();
}

/** Uses the token up: undefined when it is unknown, used or too old. */
export function useJoinToken(tx: Tx, tokenHash: string): Promise<JoinTokenRow | undefined> {
  return tx
    .updateTable('join_tokens')
    .set({ used_at: tx.at })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', tx.at)
    .returningAll()
    .executeTakeFirst();
}
