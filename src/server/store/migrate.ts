/**
 * Brings a database to the newest schema. Each migration commits together with the record that it was done, so a kill
 * in between is harmless. (Kysely's own migrator does not use transactions on SQLite.)
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { NexusError } from '../../contract/errors.ts';
import * as initial from './migrations/001-initial.ts';
import * as workspaceIndexes from './migrations/002-workspace-indexes.ts';
import * as seenTokens from './migrations/003-seen-tokens.ts';
import * as gitCredentials from './migrations/004-git-credentials.ts';
import * as streamKeysAreDerived from './migrations/005-stream-keys-are-derived.ts';
import type { Database } from './schema.ts';
import { findSetting, putSetting } from './settings.ts';

export type Migration = { readonly name: string; readonly up: (db: Kysely<unknown>) => Promise<void> };

/** In their order; one that was released is never changed. */
export const migrations: readonly Migration[] = [
  { name: '001-initial', up: initial.up },
  { name: '002-workspace-indexes', up: workspaceIndexes.up },
  { name: '003-seen-tokens', up: seenTokens.up },
  { name: '004-git-credentials', up: gitCredentials.up },
  { name: '005-stream-keys-are-derived', up: streamKeysAreDerived.up },
];

const versionSetting = 'schema_version';

/**
 * Returns the name of the newest migration. Before an older database is changed, a copy of it is put beside it, as
 * `<file>.backup-<its version>`.
 * @throws config_invalid when a newer version of the program has written the database
 */
export async function migrate(
  db: Kysely<Database>,
  file: string,
  list: readonly Migration[] = migrations,
): Promise<string> {
  const found = await schemaVersionOf(db);
  const done = found === null ? 0 : list.findIndex(({ name }) => name === found) + 1;
  if (found !== null && done === 0) throw tooNew(file, found);
  const pending = list.slice(done);
  if (found !== null && pending.length > 0) await backUp(db, `${file}.backup-${found}`);
  for (const { name, up } of pending) {
    await db.transaction().execute(async (tx) => {
      await up(tx as unknown as Kysely<unknown>);
      await putSetting(tx, versionSetting, name);
    });
  }
  return list.at(-1)?.name ?? 'none';
}

async function schemaVersionOf(db: Kysely<Database>): Promise<string | null> {
  const tables = await db.introspection.getTables();
  return tables.some(({ name }) => name === 'settings') ? ((await findSetting(db, versionSetting)) ?? null) : null;
}

function tooNew(file: string, version: string): NexusError {
  const problem = `its schema is ${version}, which only a newer version of nexus knows; use that version, or restore a backup beside it`;
  return new NexusError('config_invalid', { file, problems: [{ path: versionSetting, problem }], of: 'data' });
}

async function backUp(db: Kysely<Database>, copy: string): Promise<void> {
  const part = `${copy}.part`;
  rmSync(part, { force: true });
  await sql`vacuum into ${part}`.execute(db);
  // SQLite makes it for everybody to read, as the umask lets it.
  chmodSync(part, 0o600);
  renameSync(part, copy);
}
