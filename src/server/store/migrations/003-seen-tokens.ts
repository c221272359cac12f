import type { Kysely } from 'kysely';

/** Whose tokens GitHub said they are, under the tokens' SHA-256. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('seen_tokens')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('github_id', 'integer', (c) => c.notNull())
    .addColumn('login', 'text', (c) => c.notNull())
    .addColumn('seen_at', 'text', (c) => c.notNull())
    .execute();
}
