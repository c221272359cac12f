/** As whom git works in the workspaces of each user, and the sealed token with which it does. */
import type { GitCredentialRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export function findGitCredential(db: Db, githubId: number): Promise<GitCredentialRow | undefined> {
  return db.selectFrom('git_credentials').selectAll().where('github_id', '=', githubId).executeTakeFirst();
}

export function findGitCredentialOf(db: Db, workspaceId: string): Promise<GitCredentialRow | undefined> {
  return db
    .selectFrom('git_credentials')
    .innerJoin('users', 'users.github_id', 'git_credentials.github_id')
    .innerJoin('workspaces', 'workspaces.owner_id', 'users.id')
    .selectAll('git_credentials')
    .where('workspaces.id', '=', workspaceId)
    .executeTakeFirst();
}

/** Whose the token with this SHA-256 (hex) is, or was last. */
export async function findGithubIdOfToken(db: Db, tokenHash: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('git_credentials')
    .select('github_id')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
  return row?.github_id;
}

/** Those whose token ends before then (RFC 3339) and can be renewed. */
export function endingGitCredentials(db: Db, before: string): Promise<GitCredentialRow[]> {
  return db
    .selectFrom('git_credentials')
    .selectAll()
    .where('sealed_renewal', 'is not', null)
    .where('expires_at', '<', before)
    .execute();
}

export async function keepGitCredential(tx: Tx, row: GitCredentialRow): Promise<void> {
  await tx
    .insertInto('git_credentials')
    .values(row)
    .onConflict((conflict) => conflict.column('github_id').doUpdateSet(row))
    .execute();
}

/** Forgets the token with this SHA-256; whoever it belongs to stays known. Returns whether there was one. */
export async function dropGitToken(tx: Tx, tokenHash: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('git_credentials')
    .set({ sealed_token: null, sealed_renewal: null, expires_at: null })
    .where('token_hash', '=', tokenHash)
    .where('sealed_token', 'is not', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export type LentCredential = GitCredentialRow & { readonly workspace_id: string };

/** A row for each workspace on the node whose owner has a token. */
export async function credentialsOnNode(db: Db, node: string): Promise<LentCredential[]> {
  return db
    .selectFrom('workspaces')
    .innerJoin('users', 'users.id', 'workspaces.owner_id')
    .innerJoin('git_credentials', 'git_credentials.github_id', 'users.github_id')
    .selectAll('git_credentials')
    .select('workspaces.id as workspace_id')
    .where('workspaces.node', '=', node)
    .where('git_credentials.sealed_token', 'is not', null)
    .orderBy('git_credentials.github_id')
    .orderBy('workspaces.id')
    .execute();
}

/** The nodes that hold workspaces of this user. */
export async function nodesOfGithubUser(db: Db, githubId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('workspaces')
    .innerJoin('users', 'users.id', 'workspaces.owner_id')
    .select('workspaces.node')
    .distinct()
    .where('users.github_id', '=', githubId)
    .where('workspaces.node', 'is not', null)
    .execute();
  return rows.flatMap(({ node }) => (node === null ? [] : [node]));
}
