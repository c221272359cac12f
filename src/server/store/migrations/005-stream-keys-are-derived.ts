import type { Kysely } from 'kysely';

/** They are made of a secret that is not in the database (stream-keys.ts). */
export async function up(db: Kysely<{ settings: { name: string } }>): Promise<void> {
  await db.schema.alterTable('nodes').dropColumn('stream_key').execute();
  await db.deleteFrom('settings').where('name', '=', 'server_stream_key').execute();
}
