/** Git's smart HTTP (git's own `http-backend`, as a CGI program) behind GitHub's authentication. */
import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import { permissionOf, visibleRepository } from './world.ts';
import type { Account, World } from './world.ts';

export type GitAccess = {
  readonly repository: string;
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  /** Whose token came with it; null for none. */
  readonly login: string | null;
  readonly token: string | null;
  readonly status: number;
};

/** `/O/R.git/info/refs` and so on; null for any other path. */
export function gitPath(path: string): { owner: string; name: string; rest: string } | null {
  const found = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/.exec(path);
  return found === null ? null : { owner: found[1] ?? '', name: found[2] ?? '', rest: found[3] ?? '' };
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly url: URL };

/** @returns what was answered, for the record */
export async function serveGit(
  { request, response, url }: Exchange,
  { world, account, token }: { world: World; account: Account | null | 'bad'; token: string | null },
): Promise<GitAccess> {
  const { owner, name, rest } = gitPath(url.pathname) ?? { owner: '', name: '', rest: '' };
  const pushes = rest === '/git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack';
  const service = pushes ? 'git-receive-pack' : 'git-upload-pack';
  const record = { repository: `${owner}/${name}`, service, token } as const;
  const refuse = (status: number, message: string): GitAccess => {
    request.resume();
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
    });
    response.end(message);
    return { ...record, status, login: account === 'bad' ? null : (account?.login ?? null) };
  };
  if (account === 'bad')
    return refuse(401, 'Invalid username or token. Password authentication is not supported for Git operations.');
  const repository = visibleRepository(world, { owner, name, account });
  // Without a token nothing is told of what is private or missing.
  if (repository === undefined)
    return account === null ? refuse(401, 'No anonymous write access.') : refuse(404, 'Repository not found.');
  if (pushes && account === null) return refuse(401, 'No anonymous write access.');
  if (pushes && permissionOf(repository, account) === 'read')
    return refuse(403, `Permission to ${owner}/${name}.git denied to ${account?.login}.`);
  const status = await runBackend(
    { request, response, url },
    { folder: repository.folder, rest, user: account?.login },
  );
  return { ...record, status, login: account?.login ?? null };
}

async function runBackend(
  { request, response, url }: Exchange,
  { folder, rest, user }: { folder: string; rest: string; user: string | undefined },
): Promise<number> {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: dirname(folder),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${basename(folder)}${rest}`,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
      REMOTE_ADDR: '127.0.0.1',
      ...(user === undefined ? {} : { REMOTE_USER: user }),
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: header('content-length') }),
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  response.on('close', () => child.kill());
  let head = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const { status, headers } = cgiHead(head.subarray(0, end).toString('latin1'));
    response.writeHead(status, headers);
    response.write(head.subarray(end + 4));
  }
  if (!response.headersSent) response.writeHead(500);
  response.end();
  return response.statusCode;
}

function cgiHead(text: string): { status: number; headers: Record<string, string> } {
  const fields = text.split('\r\n').map((line) => line.split(/: */, 2) as [string, string]);
  const status = Number(fields.find(([name]) => name.toLowerCase() === 'status')?.[1]?.slice(0, 3) ?? 200);
  return { status, headers: Object.fromEntries(fields.filter(([name]) => name.toLowerCase() !== 'status')) };
}
