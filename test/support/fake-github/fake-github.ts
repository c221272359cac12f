/**
 * A fake GitHub for tests: REST, GraphQL, the device and the web flow, and git over HTTPS from real bare repositories,
 * behind TLS with a certificate authority of its own and a proxy that leads GitHub's names to it. Programs find it on
 * GitHub's genuine addresses when they run with its `env`:
 *
 *     await using github = await startFakeGithub();
 *     github.addUser('alice', { name: 'Alice' });
 *     const token = github.addToken('alice', { scopes: ['repo', 'read:org', 'gist'] });
 *     await github.addRepository('my-org/shop', { private: true, files: { 'README.md': 'Shop' }, access: { alice: 'write' } });
 *     await execa('gh', ['api', 'user'], { env: { ...github.env, GH_TOKEN: token, GH_CONFIG_DIR: folder } });
 *     github.goDown('bad_gateway', { parts: ['api'], after: 2 });   // …then github.comeBack()
 *     github.browser('alice', { approvesDevices: true });           // or: (await github.nextDeviceCode()).approve('alice')
 *
 * `enterpriseUrl` is the same as a GitHub Enterprise Server (`/api/v3`), without the proxy. What was asked is in `seen`
 * and `gitAccesses`, whose `token` tells which one git used.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitFiles, makeBareRepository, setPullRef } from './bare-repository.ts';
import type { Files } from './bare-repository.ts';
import { makeCertificates } from './certificates.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { createFaults } from './faults.ts';
import type { OutageKind, Part, RateLimit } from './faults.ts';
import { makeFork } from './fork.ts';
import type { GitAccess } from './git-http.ts';
import { createOauthState, issueToken } from './oauth-state.ts';
import type { DeviceCode, OauthApp } from './oauth-state.ts';
import { startGithubServer } from './server.ts';
import type { Seen, ServerState } from './server.ts';
import { accountOf, createWorld, findRepository, nextId } from './world.ts';
import type { Account, Email, Permission, Repository } from './world.ts';

export type RepositoryOptions = {
  readonly private?: boolean;
  readonly description?: string;
  readonly defaultBranch?: string;
  /** Of the first commit; none: the repository is empty. */
  readonly files?: Files;
  readonly access?: Readonly<Record<string, Permission>>;
};

export type DeviceCodeInHand = {
  readonly userCode: string;
  readonly scopes: readonly string[];
  approve(login: string): void;
  deny(): void;
  expire(): void;
};

export type FakeGithub = AsyncDisposable & {
  /** Proxy and certificate authority, for a child process. Nothing else is reachable through the proxy. */
  readonly env: Readonly<Record<string, string>>;
  readonly proxyUrl: string;
  /** PEM of the authority alone, and with those of the system. */
  readonly caFile: string;
  readonly bundleFile: string;
  /** The same service as a GitHub Enterprise Server: `/api/v3`, git, and the sign-in pages. */
  readonly enterpriseUrl: string;
  readonly seen: readonly Seen[];
  readonly gitAccesses: readonly GitAccess[];
  /** `HOST:PORT` of everything that was asked of the proxy. */
  readonly proxied: readonly string[];

  addUser(login: string, options?: { name?: string | null; emails?: Email[] }): Account;
  addOrganization(login: string, options?: { members?: readonly string[] }): Account;
  rename(login: string, to: string): void;
  /** @param scopes null: a fine-grained token, of which GitHub names no scopes */
  addToken(login: string, options?: { scopes?: string[] | null }): string;
  /** From now on 401. */
  revoke(token: string): void;
  addKey(login: string, key: string, title?: string): void;
  /** Owner and organisation are made when they are not there: `addRepository('alice/shop')`. */
  addRepository(name: string, options?: RepositoryOptions): Promise<Repository>;
  addFork(of: string, as: string): Promise<Repository>;
  /** @param commit.submodules path to commit */
  commit(
    name: string,
    commit: {
      branch: string;
      files: Files;
      message?: string;
      from?: string;
      submodules?: Readonly<Record<string, string>>;
    },
  ): Promise<void>;
  /** @param from `alice/shop:feature` */
  addPull(into: string, options: { number: number; from: string; title?: string }): Promise<void>;
  repository(name: string): Repository;
  /** Forks that are made from now on are not there for so many requests. */
  delayForks(requests: number): void;

  /** Breaks it, for all its parts unless some are named, after so many more answers. */
  goDown(kind: OutageKind, options?: { parts?: readonly Part[]; after?: number }): void;
  comeBack(): void;
  /** When the outage has taken another request. */
  nextStrike(): Promise<void>;
  limitRate(limit: RateLimit | null): void;

  addOauthApp(app: OauthApp): void;
  /** Who is signed in at the browser; null: nobody. */
  browser(login: string | null, options?: { approvesDevices?: boolean; deniesWeb?: boolean }): void;
  nextDeviceCode(): Promise<DeviceCodeInHand>;
  /** @param intervalSeconds of device codes from now on (GitHub: 5); polling faster is told to slow down */
  pollDevicesEvery(intervalSeconds: number): void;
  /** So many polls are told to slow down, whatever the time. */
  slowDown(polls: number): void;
};

/**
 * @param host the address to listen on; workspaces need one of the host's own
 * @param names more names or addresses (`IP:10.0.0.1`) for the certificate
 */
export async function startFakeGithub({
  host = '127.0.0.1',
  names = [],
}: { host?: string; names?: readonly string[] } = {}): Promise<FakeGithub> {
  const cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fake-github-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const repositories = join(folder, 'repositories');
  await mkdir(repositories);
  const own = host === '0.0.0.0' ? [] : [`IP:${host}`];
  const known = ['github.com', '*.github.com', 'localhost', 'IP:127.0.0.1', ...own, ...names];
  const certificates = await makeCertificates(folder, [...new Set(known)]);
  const state: ServerState = {
    world: createWorld(repositories),
    faults: createFaults(),
    oauth: createOauthState(),
    seen: [],
    gitAccesses: [],
  };
  const server = cleanup.use(await startGithubServer(state, certificates, { host }));
  const proxy = cleanup.use(
    await startConnectProxy(host, { host: host === '0.0.0.0' ? '127.0.0.1' : host, port: server.port }),
  );
  const address = host === '0.0.0.0' ? '127.0.0.1' : host;
  const proxyUrl = `http://${address}:${proxy.port}`;
  return {
    env: environment(proxyUrl, certificates.bundleFile),
    proxyUrl,
    caFile: certificates.caFile,
    bundleFile: certificates.bundleFile,
    enterpriseUrl: `https://${address}:${server.port}`,
    seen: state.seen,
    gitAccesses: state.gitAccesses,
    proxied: proxy.asked,
    ...accountSteps(state),
    ...repositorySteps(state),
    ...faultSteps(state),
    ...oauthSteps(state),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/** In both cases, for programs differ in what they read; Node.js, unlike Bun, has to be told. */
function environment(proxyUrl: string, bundleFile: string): Record<string, string> {
  const proxy = {
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    NO_PROXY: 'localhost,127.0.0.1',
    no_proxy: 'localhost,127.0.0.1',
  };
  const trust = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO', 'CURL_CA_BUNDLE'];
  return { ...proxy, NODE_USE_ENV_PROXY: '1', ...Object.fromEntries(trust.map((name) => [name, bundleFile])) };
}

type Steps<K extends keyof FakeGithub> = Pick<FakeGithub, K>;

function accountSteps({
  world,
}: ServerState): Steps<'addUser' | 'addOrganization' | 'rename' | 'addToken' | 'revoke' | 'addKey'> {
  const add = (account: Omit<Account, 'id' | 'keys' | 'members'>, members: readonly string[] = []): Account => {
    const added = { ...account, id: nextId(world), keys: [], members: new Set(members) };
    world.accounts.set(account.login.toLowerCase(), added);
    return added;
  };
  return {
    addUser(login, { name = null, emails } = {}) {
      const address = { email: `${login.toLowerCase()}@example.com`, primary: true, verified: true, visibility: null };
      return add({ login, type: 'User', name, emails: emails ?? [address] });
    },
    addOrganization: (login, { members = [] } = {}) =>
      add({ login, type: 'Organization', name: login, emails: [] }, members),
    rename(login, to) {
      const account = accountOf(world, login);
      world.accounts.delete(login.toLowerCase());
      account.login = to;
      world.accounts.set(to.toLowerCase(), account);
      for (const [value, token] of world.tokens)
        if (token.login === login) world.tokens.set(value, { ...token, login: to });
    },
    addToken: (login, { scopes = ['repo', 'read:org', 'gist', 'workflow'] } = {}) =>
      issueToken(world, accountOf(world, login).login, { scopes, prefix: scopes === null ? 'github_pat' : 'gho' })
        .value,
    revoke(value) {
      const token = world.tokens.get(value);
      if (token === undefined) throw new Error('the fake GitHub has no such token');
      token.revoked = true;
    },
    addKey(login, key, title = 'laptop') {
      const blob = key.split(' ').slice(0, 2).join(' ');
      const createdAt = new Date().toISOString();
      accountOf(world, login).keys.push({ id: nextId(world), title, key: blob, createdAt });
    },
  };
}

function repositorySteps(
  state: ServerState,
): Steps<'addRepository' | 'addFork' | 'commit' | 'addPull' | 'repository' | 'delayForks'> {
  const { world } = state;
  const named = (name: string): Repository => {
    const [owner = '', repository = ''] = name.split('/');
    const found = findRepository(world, owner, repository);
    if (found === undefined) throw new Error(`the fake GitHub has no repository ${name}`);
    return found;
  };
  return {
    async addRepository(fullName, { files, defaultBranch = 'main', access = {}, ...options } = {}) {
      const [owner = '', name = ''] = fullName.split('/');
      const account = world.accounts.get(owner.toLowerCase()) ?? accountSteps(state).addOrganization(owner);
      const folder = join(world.folder, `${randomBytes(6).toString('hex')}.git`);
      await makeBareRepository(folder, defaultBranch);
      if (files !== undefined) await commitFiles(folder, { branch: defaultBranch, files, message: 'The beginning' });
      const repository: Repository = {
        id: nextId(world),
        owner: account,
        name,
        private: options.private ?? false,
        description: options.description ?? null,
        defaultBranch,
        permissions: new Map(Object.entries(access)),
        parent: null,
        pulls: [],
        folder,
        hiddenFor: 0,
        createdAt: new Date().toISOString(),
      };
      world.repositories.push(repository);
      return repository;
    },
    async addFork(of, as) {
      const [owner = '', name = ''] = as.split('/');
      const fork = await makeFork(world, named(of), { owner: accountOf(world, owner), name, now: new Date() });
      fork.hiddenFor = 0;
      return fork;
    },
    commit: (name, { message = 'A change', ...commit }) => commitFiles(named(name).folder, { message, ...commit }),
    async addPull(into, { number, from, title = 'A change' }) {
      const [headName = '', branch = ''] = from.split(':');
      const [base, head] = [named(into), named(headName)];
      await setPullRef(base.folder, { from: head.folder, branch, number });
      base.pulls.push({ number, title, head, branch });
    },
    repository: named,
    delayForks(requests) {
      world.forksHiddenFor = requests;
    },
  };
}

const everyPart: readonly Part[] = ['api', 'web', 'git'];

function faultSteps({ faults }: ServerState): Steps<'goDown' | 'comeBack' | 'nextStrike' | 'limitRate'> {
  return {
    goDown(kind, { parts = everyPart, after = 0 } = {}) {
      faults.outage = { kind, parts };
      faults.outageAfter = after;
    },
    comeBack() {
      faults.outage = null;
    },
    nextStrike: () =>
      new Promise((resolve) => {
        const tell = (): void => {
          faults.onStrike.delete(tell);
          resolve();
        };
        faults.onStrike.add(tell);
      }),
    limitRate(limit) {
      faults.rateLimit = limit;
    },
  };
}

function oauthSteps({
  oauth,
}: ServerState): Steps<'addOauthApp' | 'browser' | 'nextDeviceCode' | 'pollDevicesEvery' | 'slowDown'> {
  return {
    addOauthApp: (app) => void oauth.apps.set(app.clientId, app),
    browser(login, { approvesDevices = false, deniesWeb = false } = {}) {
      oauth.browser = login === null ? null : { login, approvesDevices, deniesWeb };
    },
    nextDeviceCode: () =>
      new Promise((resolve) => {
        const tell = (code: DeviceCode): void => {
          oauth.onDeviceCode.delete(tell);
          resolve(inHand(code));
        };
        oauth.onDeviceCode.add(tell);
      }),
    pollDevicesEvery(seconds) {
      oauth.deviceIntervalSeconds = seconds;
    },
    slowDown(polls) {
      oauth.slowDowns = polls;
    },
  };
}

function inHand(code: DeviceCode): DeviceCodeInHand {
  const become = (state: DeviceCode['state']): void => {
    code.state = state;
  };
  return {
    userCode: code.userCode,
    scopes: code.scopes,
    approve: (login) => become({ approvedBy: login }),
    deny: () => become('denied'),
    expire: () => become('expired'),
  };
}
