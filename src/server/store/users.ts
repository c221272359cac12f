import type { UserRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

/** Whoever has given up the name by now, and was not seen since, keeps their id in its place. */
export async function insertUser(tx: Tx, user: Omit<UserRow, 'registered_at'>): Promise<UserRow> {
  await freeName(tx, user.github_username);
  const row = { ...user, registered_at: tx.at };
  await tx.insertInto('users').values(row).execute();
  return row;
}

export function findUser(db: Db, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findUserByGithubId(db: Db, githubId: number): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('github_id', '=', githubId).executeTakeFirst();
}

export function findUserByName(db: Db, githubUsername: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('github_username', '=', githubUsername).executeTakeFirst();
}

export async function setUserKey(tx: Tx, id: string, key: { pubkey: string; fingerprint: string }): Promise<void> {
  await tx
    .updateTable('users')
    .set({ ssh_pubkey: key.pubkey, ssh_pubkey_fingerprint: key.fingerprint })
    .where('id', '=', id)
    .execute();
}

/** Whoever has given up the name by now, and was not seen since, keeps their id in its place. */
export async function renameUser(tx: Tx, id: string, githubUsername: string): Promise<void> {
  await freeName(tx, githubUsername);
  await tx.updateTable('users').set({ github_username: githubUsername }).where('id', '=', id).execute();
}

async function freeName(tx: Tx, githubUsername: string): Promise<void> {
  const named = tx.updateTable('users').where('github_username', '=', githubUsername);
  await named.set((eb) => ({ github_username: eb.ref('id') })).execute();
}

export function findAnyUser(db: Db): Promise<{ id: string } | undefined> {
  return db.selectFrom('users').select('id').executeTakeFirst();
}

/** With the answers and the tokens that are kept for them; their workspaces must be gone. */
export async function deleteAllUsers(tx: Tx): Promise<void> {
  for (const table of ['idempotency', 'seen_tokens', 'git_credentials'] as const) await tx.deleteFrom(table).execute();
  await tx.deleteFrom('users').execute();
}
