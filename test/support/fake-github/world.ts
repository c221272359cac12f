/** What the fake GitHub knows: accounts, tokens, repositories. Tests write it, the answers are made from it. */
export type Email = { email: string; primary: boolean; verified: boolean; visibility: 'public' | 'private' | null };

export type PublicKey = { id: number; title: string; key: string; createdAt: string };

export type Account = {
  login: string;
  readonly id: number;
  readonly type: 'User' | 'Organization';
  name: string | null;
  emails: Email[];
  readonly keys: PublicKey[];
  /** Of an organisation: its active members' logins. */
  readonly members: Set<string>;
};

export type Token = {
  readonly value: string;
  readonly login: string;
  /** Null for a fine-grained token, of which GitHub names no scopes. */
  scopes: string[] | null;
  /** Revoked or expired: 401 from now on. */
  revoked: boolean;
};

export type Permission = 'read' | 'write' | 'admin';

export type Pull = {
  readonly number: number;
  readonly title: string;
  readonly head: Repository;
  readonly branch: string;
};

export type Repository = {
  readonly id: number;
  readonly owner: Account;
  name: string;
  private: boolean;
  description: string | null;
  readonly defaultBranch: string;
  /** Of the collaborators; the owner has `admin`, and everybody may read what is not private. */
  readonly permissions: Map<string, Permission>;
  readonly parent: Repository | null;
  readonly pulls: Pull[];
  /** The bare repository. */
  readonly folder: string;
  /** How often it is still asked for in vain: a fork appears a while after it was made. */
  hiddenFor: number;
  readonly createdAt: string;
};

export type World = {
  readonly accounts: Map<string, Account>;
  readonly tokens: Map<string, Token>;
  readonly repositories: Repository[];
  /** Bare repositories are made here. */
  readonly folder: string;
  /** How many requests for a new fork are answered with 404 before it is there. */
  forksHiddenFor: number;
  lastId: number;
};

export function createWorld(folder: string): World {
  return { accounts: new Map(), tokens: new Map(), repositories: [], folder, forksHiddenFor: 0, lastId: 1000 };
}

export function nextId(world: World): number {
  world.lastId += 1;
  return world.lastId;
}

/** Logins are compared without regard to case, as GitHub does. */
export function findAccount(world: World, login: string): Account | undefined {
  return world.accounts.get(login.toLowerCase());
}

export function accountOf(world: World, login: string): Account {
  const account = findAccount(world, login);
  if (account === undefined) throw new Error(`the fake GitHub has no account ${login}`);
  return account;
}

export function findRepository(world: World, owner: string, name: string): Repository | undefined {
  const wanted = `${owner}/${name}`.toLowerCase();
  return world.repositories.find((one) => fullName(one).toLowerCase() === wanted);
}

export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}

/** Null when the account may not see it. */
export function permissionOf(repository: Repository, account: Account | null): Permission | null {
  if (account !== null && repository.owner === account) return 'admin';
  const given = account === null ? undefined : repository.permissions.get(account.login);
  return given ?? (repository.private ? null : 'read');
}

/** The repository, when the caller may see it and it is there by now. */
export function visibleRepository(
  world: World,
  { owner, name, account }: { owner: string; name: string; account: Account | null },
): Repository | undefined {
  const repository = findRepository(world, owner, name);
  if (repository === undefined || permissionOf(repository, account) === null) return undefined;
  if (repository.hiddenFor === 0) return repository;
  repository.hiddenFor -= 1;
  return undefined;
}

/** The network of forks is that of its first repository. */
export function rootOf(repository: Repository): Repository {
  return repository.parent === null ? repository : rootOf(repository.parent);
}
