/** `/`, `/user…`, `/rate_limit`. */
import { privateUser, publicKey, publicUser, simpleUser } from './account-shapes.ts';
import { invalid, json, notFound, page, withScope } from './answer.ts';
import type { Answer, ApiCall } from './answer.ts';
import { findAccount, nextId } from './world.ts';
import type { World } from './world.ts';

export function root({ base: { api, web } }: ApiCall): Answer {
  const search = (what: string): string => `${api}/search/${what}?q={query}{&page,per_page,sort,order}`;
  return json(200, {
    current_user_url: `${api}/user`,
    current_user_authorizations_html_url: `${web}/settings/connections/applications{/client_id}`,
    authorizations_url: `${api}/authorizations`,
    code_search_url: search('code'),
    commit_search_url: search('commits'),
    emails_url: `${api}/user/emails`,
    emojis_url: `${api}/emojis`,
    events_url: `${api}/events`,
    feeds_url: `${api}/feeds`,
    followers_url: `${api}/user/followers`,
    following_url: `${api}/user/following{/target}`,
    gists_url: `${api}/gists{/gist_id}`,
    hub_url: `${api}/hub`,
    issue_search_url: search('issues'),
    issues_url: `${api}/issues`,
    keys_url: `${api}/user/keys`,
    label_search_url: `${api}/search/labels?q={query}&repository_id={repository_id}{&page,per_page}`,
    notifications_url: `${api}/notifications`,
    organization_url: `${api}/orgs/{org}`,
    organization_repositories_url: `${api}/orgs/{org}/repos{?type,page,per_page,sort}`,
    organization_teams_url: `${api}/orgs/{org}/teams`,
    public_gists_url: `${api}/gists/public`,
    rate_limit_url: `${api}/rate_limit`,
    repository_url: `${api}/repos/{owner}/{repo}`,
    repository_search_url: search('repositories'),
    current_user_repositories_url: `${api}/user/repos{?type,page,per_page,sort}`,
    starred_url: `${api}/user/starred{/owner}{/repo}`,
    starred_gists_url: `${api}/gists/starred`,
    topic_search_url: `${api}/search/topics?q={query}{&page,per_page}`,
    user_url: `${api}/users/{user}`,
    user_organizations_url: `${api}/user/orgs`,
    user_repositories_url: `${api}/users/{user}/repos{?type,page,per_page,sort}`,
    user_search_url: search('users'),
  });
}

export function user({ account, base, token: { scopes } }: ApiCall): Answer {
  return json(200, scopes?.includes('user') ? privateUser(account, base) : publicUser(account, base));
}

export function userByLogin({ world, params, base }: ApiCall): Answer {
  const account = findAccount(world, params['login'] ?? '');
  return account === undefined ? notFound() : json(200, publicUser(account, base));
}

export function emails(call: ApiCall): Answer | Promise<Answer> {
  return withScope(call, ['user:email', 'user'], () => json(200, call.account.emails));
}

export function membership(call: ApiCall): Answer | Promise<Answer> {
  return withScope(call, ['read:org', 'admin:org'], () => {
    const { account, base, world, params } = call;
    const organization = findAccount(world, params['org'] ?? '');
    if (organization?.type !== 'Organization' || !organization.members.has(account.login)) return notFound();
    const url = `${base.api}/orgs/${organization.login}`;
    const { login, id } = organization;
    return json(200, {
      url: `${url}/memberships/${account.login}`,
      state: 'active',
      role: 'member',
      organization_url: url,
      organization: {
        login,
        id,
        node_id: Buffer.from(`012:Organization${id}`).toString('base64'),
        url,
        repos_url: `${url}/repos`,
        events_url: `${url}/events`,
        hooks_url: `${url}/hooks`,
        issues_url: `${url}/issues`,
        members_url: `${url}/members{/member}`,
        public_members_url: `${url}/public_members{/member}`,
        avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
        description: null,
      },
      user: simpleUser(account, base),
    });
  });
}

export function listKeys(call: ApiCall): Answer | Promise<Answer> {
  return withScope(call, ['admin:public_key', 'write:public_key', 'read:public_key'], () => {
    return json(
      200,
      page(call.account.keys, call).map((key) => publicKey(key, call.base)),
    );
  });
}

export function addKey(call: ApiCall): Answer | Promise<Answer> {
  return withScope(call, ['admin:public_key', 'write:public_key'], () => {
    const { title, key } = call.body;
    const problem = (message: string): Answer =>
      invalid([{ resource: 'PublicKey', code: 'custom', field: 'key', message }]);
    if (typeof key !== 'string' || !/^(?:ssh|ecdsa|sk)-\S+ AAAA\S+/.test(key))
      return problem('key is invalid. You must supply a key in OpenSSH public key format');
    const blob = key.split(' ').slice(0, 2).join(' ');
    if (keyIsInUse(call.world, blob)) return problem('key is already in use');
    const added = {
      id: nextId(call.world),
      title: typeof title === 'string' && title !== '' ? title : 'key',
      key: blob,
      createdAt: call.now.toISOString(),
    };
    call.account.keys.push(added);
    return json(201, publicKey(added, call.base));
  });
}

/** Of any account: GitHub takes each key once. */
function keyIsInUse(world: World, key: string): boolean {
  return [...world.accounts.values()].some(({ keys }) => keys.some((one) => one.key === key));
}

export function rateLimit({ now }: ApiCall): Answer {
  const reset = Math.ceil(now.getTime() / 1000) + 3600;
  const core = { limit: 5000, used: 1, remaining: 4999, reset };
  const resources = { core, search: { ...core, limit: 30, used: 0, remaining: 30 }, graphql: core };
  return json(200, { resources, rate: core });
}
