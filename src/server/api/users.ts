/** Users and their SSH keys. */
import { NexusError } from '../../contract/errors.ts';
import type { UserView } from '../../contract/user.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import type { UserRow } from '../store/schema.ts';
import type { Db, Tx } from '../store/store.ts';
import { findUser, findUserByName, insertUser, setUserKey } from '../store/users.ts';
import { workspacesOf } from '../store/workspaces.ts';
import { newId } from '../../contract/ids.ts';
import type { AppDeps } from './app-deps.ts';
import type { Caller, Handlers } from './handler.ts';

/** How long running workspaces may take to accept a new key (api.md). */
const keyChangeTimeoutMs = 5_000;

type UserHandlers = Pick<Handlers, 'registerUser' | 'getUser' | 'updateSshKey' | 'whoAmI'>;

export function userHandlers({ store, reconciler }: Pick<AppDeps, 'store' | 'reconciler'>): UserHandlers {
  return {
    async registerUser({ body, caller }) {
      refuseOtherUser(body, caller);
      const key = readKey(body);
      const row = await store.transaction(async (tx) => {
        const user = await ensureUser(tx, caller);
        if (user.ssh_pubkey_fingerprint !== null) throw alreadyRegistered(user, key.fingerprint);
        await setUserKey(tx, user.id, key);
        return { ...user, ssh_pubkey_fingerprint: key.fingerprint };
      });
      const view = await userView(store.db, row);
      if (view.workspaces.length > 0) await keysTaken(reconciler.keysChanged(row.id));
      return view;
    },
    async getUser({ params, caller }) {
      return userView(store.db, await findVisibleUser(store.db, caller, params.username));
    },
    async updateSshKey({ params, body, caller }) {
      const user = await findVisibleUser(store.db, caller, params.username);
      const key = readKey(body);
      await store.transaction((tx) => setUserKey(tx, user.id, key));
      await keysTaken(reconciler.keysChanged(user.id));
      return userView(store.db, { ...user, ssh_pubkey_fingerprint: key.fingerprint });
    },
    async whoAmI({ caller }) {
      const { githubUsername, githubId, admin, user } = caller;
      const registered = typeof user?.ssh_pubkey === 'string';
      return { github_username: githubUsername, github_id: githubId, admin, registered };
    },
  };
}

/** Users are stored with the first thing that belongs to them: their key, or a workspace. */
export async function ensureUser(tx: Tx, { githubUsername, githubId, user }: Caller): Promise<UserRow> {
  const known = user && (await findUser(tx, user.id));
  if (known) return known;
  return insertUser(tx, {
    id: newId('user'),
    github_username: githubUsername,
    github_id: githubId,
    ssh_pubkey: null,
    ssh_pubkey_fingerprint: null,
  });
}

/** @throws forbidden when a body names somebody else than the token */
export function refuseOtherUser(
  body: { github_username?: string | undefined; github_id?: number | undefined },
  { githubUsername, githubId }: Caller,
): void {
  const { github_username: name, github_id: id } = body;
  if (name !== undefined && name.toLowerCase() !== githubUsername.toLowerCase())
    throw new NexusError('forbidden', { reason: `the token is ${githubUsername}'s, not ${name}'s` });
  if (id !== undefined && id !== githubId)
    throw new NexusError('forbidden', { reason: `the token is of the user with the id ${githubId}, not ${id}` });
}

async function findVisibleUser(db: Db, caller: Caller, username: string): Promise<UserRow> {
  const user = await findUserByName(db, username);
  if (user && (caller.admin || user.id === caller.user?.id)) return user;
  throw new NexusError('not_found', { kind: 'user', name: username });
}

function readKey(body: { ssh_pubkey: string; ssh_pubkey_fingerprint: string }): {
  pubkey: string;
  fingerprint: string;
} {
  const key = parseSshPublicKey(body.ssh_pubkey);
  if ('problem' in key)
    throw new NexusError('invalid_request', { fields: [{ path: 'ssh_pubkey', problem: key.problem }] });
  if (key.fingerprint !== body.ssh_pubkey_fingerprint) {
    const problem = `is of another key; this one's is ${key.fingerprint}`;
    throw new NexusError('invalid_request', { fields: [{ path: 'ssh_pubkey_fingerprint', problem }] });
  }
  return { pubkey: key.line, fingerprint: key.fingerprint };
}

function alreadyRegistered(user: UserRow, fingerprint: string): NexusError {
  const same_key = user.ssh_pubkey_fingerprint === fingerprint;
  return new NexusError('user_already_registered', {
    user_id: user.id,
    github_username: user.github_username,
    same_key,
  });
}

/** The key is stored by now: what fails here is taken up again by the reconciler. */
async function keysTaken(done: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const what = 'Giving the new key to the running workspaces';
  const timer = setTimeout(
    () => reject(new NexusError('timeout', { what, seconds: keyChangeTimeoutMs / 1000 })),
    keyChangeTimeoutMs,
  );
  await Promise.race([done, late]).finally(() => clearTimeout(timer));
}

async function userView(db: Db, user: UserRow): Promise<UserView> {
  const rows = await workspacesOf(db, user.id);
  return {
    user_id: user.id,
    github_username: user.github_username,
    ssh_pubkey_fingerprint: user.ssh_pubkey_fingerprint,
    registered_at: user.registered_at,
    workspaces: rows.map(({ id }) => id),
  };
}
