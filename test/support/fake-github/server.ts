/** The TLS server: which part of GitHub a request is for, and whose token came with it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Answer, BaseUrls } from './answer.ts';
import type { Certificates } from './certificates.ts';
import { strike } from './faults.ts';
import type { Faults, Part } from './faults.ts';
import { gitPath, serveGit } from './git-http.ts';
import type { GitAccess } from './git-http.ts';
import { createGraphql } from './graphql.ts';
import { deviceGrant, pollDeviceFlow, startDeviceFlow } from './oauth-device.ts';
import type { OauthState } from './oauth-state.ts';
import { authorize, exchangeCode } from './oauth-web.ts';
import { answerRest, guarded, withHeaders } from './rest.ts';
import { accountOf } from './world.ts';
import type { Token, World } from './world.ts';

/** One request that was answered. */
export type Seen = {
  readonly part: Part;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly userAgent: string;
  /** Whose token it was; null for none, or a bad one. */
  readonly login: string | null;
};

export type ServerState = {
  readonly world: World;
  readonly faults: Faults;
  readonly oauth: OauthState;
  readonly seen: Seen[];
  readonly gitAccesses: GitAccess[];
};

export type GithubServer = AsyncDisposable & { readonly port: number };

/** @param host the address to listen on */
export async function startGithubServer(
  state: ServerState,
  { cert, key }: Certificates,
  { host, port = 0 }: { host: string; port?: number },
): Promise<GithubServer> {
  const graphql = createGraphql();
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key }, (request, response) => {
    handle(state, graphql, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`the fake GitHub failed: ${error instanceof Error ? error.stack : String(error)}`);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function handle(
  state: ServerState,
  graphql: ReturnType<typeof createGraphql>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const host = request.headers.host ?? 'github.com';
  const url = new URL(request.url ?? '/', `https://${host}`);
  const place = placeOf(url);
  if (strike(state.faults, place.part, request, response)) return;
  const token = tokenOf(request, state.world);
  const login = typeof token === 'string' ? null : token.login;
  const record = (status: number): void => {
    const { method = 'GET' } = request;
    const userAgent = request.headers['user-agent'] ?? '';
    state.seen.push({ part: place.part, method, path: url.pathname, status, userAgent, login });
  };
  if (place.part === 'git') {
    const account = token === 'none' ? null : token === 'bad' ? 'bad' : accountOf(state.world, token.login);
    const value = credentials(request);
    const access = await serveGit({ request, response, url }, { world: state.world, account, token: value });
    state.gitAccesses.push(access);
    record(access.status);
    return;
  }
  const body = await text(request);
  const call = { request, url, body, token, ...place };
  const answer = place.part === 'api' ? await answerApi(state, graphql, call) : answerWeb(state, call);
  record(answer.status);
  send(response, answer);
}

type Place = { readonly part: Part; readonly base: BaseUrls; /** Below the API's own path. */ readonly path: string };

/** By github.com's names, or by an Enterprise Server's paths. */
function placeOf(url: URL): Place {
  const { pathname } = url;
  if (url.hostname === 'api.github.com') return { part: 'api', base: githubCom, path: pathname };
  const isGithubCom = url.hostname === 'github.com';
  const base = isGithubCom ? githubCom : { api: `${url.origin}/api/v3`, web: url.origin };
  const enterprise = isGithubCom ? null : /^\/api\/(?:v3)?(\/?.*)$/.exec(pathname);
  if (enterprise !== null) return { part: 'api', base, path: enterprise[1] === '' ? '/' : (enterprise[1] ?? '/') };
  return { part: gitPath(pathname) === null ? 'web' : 'git', base, path: pathname };
}

const githubCom: BaseUrls = { api: 'https://api.github.com', web: 'https://github.com' };

type Call = Place & {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly body: string;
  readonly token: Token | 'none' | 'bad';
};

async function answerApi(
  { world, faults }: ServerState,
  graphql: ReturnType<typeof createGraphql>,
  { request, url, body, token, base, path }: Call,
): Promise<Answer> {
  const around = { world, faults, base, now: new Date() };
  if (path === '/graphql' || path === 'graphql') {
    const answer = await guarded({ path, token }, around, () => graphql(body, { world, token: token as Token }));
    return withHeaders(answer, { token }, around);
  }
  const { method = 'GET' } = request;
  const asked = { method, path, query: url.searchParams, text: body, token };
  return answerRest(asked, around);
}

function answerWeb({ world, oauth }: ServerState, { request, url, body, base }: Call): Answer {
  const form = formOf(request, body);
  const { accept } = request.headers;
  const call = { world, oauth, form, accept, webUrl: base.web, now: new Date() };
  return routeWeb(`${request.method} ${url.pathname}`, call, url.searchParams);
}

function routeWeb(route: string, call: Parameters<typeof pollDeviceFlow>[0], query: URLSearchParams): Answer {
  if (route === 'POST /login/device/code') return startDeviceFlow(call);
  if (route === 'POST /login/oauth/access_token')
    return call.form.get('grant_type') === deviceGrant ? pollDeviceFlow(call) : exchangeCode(call);
  if (route === 'GET /login/oauth/authorize') return authorize({ oauth: call.oauth, query });
  if (route === 'GET /login/device') return { status: 200, body: '<title>Device Activation</title>' };
  return { status: 404, body: 'Not Found' };
}

function formOf(request: IncomingMessage, body: string): URLSearchParams {
  if (!request.headers['content-type']?.includes('json')) return new URLSearchParams(body);
  return new URLSearchParams(Object.entries(JSON.parse(body) as Record<string, string>));
}

function tokenOf(request: IncomingMessage, world: World): Token | 'none' | 'bad' {
  const value = credentials(request);
  if (value === null) return 'none';
  const token = world.tokens.get(value);
  return token === undefined || token.revoked ? 'bad' : token;
}

/** `Bearer T`, `token T`, or Basic with the token as password (or as name, with `x-oauth-basic` or none). */
function credentials({ headers }: IncomingMessage): string | null {
  const [kind = '', value = ''] = (headers.authorization ?? '').split(' ', 2);
  if (/^(?:bearer|token)$/i.test(kind)) return value;
  if (!/^basic$/i.test(kind)) return null;
  const [name = '', password = ''] = Buffer.from(value, 'base64').toString().split(':', 2);
  return password === '' || password === 'x-oauth-basic' ? name : password;
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, {
    'content-type': type,
    'x-github-request-id': 'FAKE:0:0',
    server: 'github.com',
    ...headers,
  });
  response.end(body === null ? '' : isText ? body : JSON.stringify(body));
}
