/** Accounts and their keys as GitHub's REST API shows them. */
import type { BaseUrls } from './answer.ts';
import type { Account, PublicKey } from './world.ts';

const since = '2020-01-01T00:00:00Z';

export function simpleUser(account: Account, { api, web }: BaseUrls): object {
  const url = `${api}/users/${account.login}`;
  return {
    login: account.login,
    id: account.id,
    node_id: Buffer.from(`04:User${account.id}`).toString('base64'),
    avatar_url: `https://avatars.githubusercontent.com/u/${account.id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${web}/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** The e-mail is null when its owner keeps it private. */
export function publicEmail(account: Account): string | null {
  return account.emails.find(({ visibility }) => visibility === 'public')?.email ?? null;
}

export function publicUser(account: Account, base: BaseUrls): object {
  return {
    ...simpleUser(account, base),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: publicEmail(account),
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: since,
    updated_at: since,
  };
}

/** What the person themselves sees with the scope `user`. */
export function privateUser(account: Account, base: BaseUrls): object {
  return {
    ...publicUser(account, base),
    user_view_type: 'private',
    private_gists: 0,
    total_private_repos: 0,
    owned_private_repos: 0,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: true,
    plan: { name: 'free', space: 976_562_499, collaborators: 0, private_repos: 10_000 },
  };
}

export function publicKey({ id, title, key, createdAt }: PublicKey, { api }: BaseUrls): object {
  const url = `${api}/user/keys/${id}`;
  return { id, key, title, url, created_at: createdAt, verified: true, read_only: false };
}
