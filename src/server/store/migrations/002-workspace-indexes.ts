import type { Kysely } from 'kysely';
import { sql } from 'kysely';

/** For the pages of `listWorkspaces`, and for the counts by node, which every `GET /health` asks for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index workspaces_newest on workspaces (created_at desc, id)`.execute(db);
  await sql`create index workspaces_newest_of_owner on workspaces (owner_id, created_at desc, id)`.execute(db);
  await sql`create index workspaces_node on workspaces (node)`.execute(db);
}
