import type { Kysely } from 'kysely';

/** As whom, and with which token, git works in the workspaces of a user of GitHub. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('git_credentials')
    .addColumn('github_id', 'integer', (c) => c.primaryKey())
    .addColumn('login', 'text', (c) => c.notNull())
    .addColumn('name', 'text')
    .addColumn('email', 'text')
    .addColumn('sealed_token', 'text')
    .addColumn('token_hash', 'text')
    .addColumn('sealed_renewal', 'text')
    .addColumn('expires_at', 'text')
    .execute();
}
