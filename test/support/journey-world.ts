/**
 * Everything that a new user meets, for real but GitHub: the compiled program, its server in GitHub mode on GitHub's own
 * addresses, an engine, gh, OpenSSH, and people with empty home folders who sit at a terminal.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { startFakeGithub, type FakeGithub } from './fake-github/fake-github.ts';
import { createInstallation, type CommandResult, type Installation } from './installation.ts';
import { createInternetHost, internetAddress } from './internet-host.ts';
import { compiledProgram } from './programs.ts';

export type Person = {
  readonly login: string;
  readonly home: string;
  readonly env: Record<string, string>;
  /** `nexus`, without a terminal. */
  nexus(...args: string[]): Promise<CommandResult>;
  /** A small file system of its own in place of a folder of the home, full or read-only. */
  mountAt(folder: string, state: 'full' | 'read-only'): Promise<AsyncDisposable>;
  /** The same at a terminal, where every question is answered with Enter; both streams are in `stdout`. */
  atTerminal(...args: string[]): Promise<CommandResult>;
  run(file: string, args: readonly string[]): Promise<CommandResult>;
  /** How the editor was called last; null: it was not. */
  editorArgs(): Promise<string | null>;
};

export type JourneyWorld = AsyncDisposable & {
  readonly github: FakeGithub;
  readonly nexus: Installation;
  /** @param options.gh whether gh is installed, and signed in. @param options.key whether there is an SSH key */
  person(login: string, options: { gh: 'absent' | 'there' | 'signed in'; key: boolean }): Promise<Person>;
};

export const scopes = ['repo', 'read:org', 'user:email', 'admin:public_key', 'gist'];
const clientId = 'Ov23liJourneyOfTest';
const proxyPort = 3128;
/** The proxy leads to GitHub alone; what a workspace installs comes as it always does. */
const direct = 'localhost,127.0.0.1,registry.npmjs.org,deb.debian.org';
const withoutProxy = { NO_PROXY: direct, no_proxy: direct };
/** Taken over by the bases for the time of the test, as an authority of the node's network is. */
const authority = '/usr/local/share/ca-certificates/nexus-journey-test.crt';

export async function createJourneyWorld(): Promise<JourneyWorld> {
  const cleanup = new AsyncDisposableStack();
  try {
    const github = cleanup.use(await startFakeGithub());
    github.addOauthApp({ clientId, clientSecret: 'secret', callbackUrl: 'http://127.0.0.1/auth/github/callback' });
    cleanup.use(await createInternetHost({ [proxyPort]: Number(new URL(github.proxyUrl).port) }));
    await copyFile(github.caFile, authority);
    cleanup.defer(() => rm(authority, { force: true }));
    const proxy = `http://${internetAddress}:${proxyPort}`;
    const nexus = cleanup.use(
      await createInstallation({
        program: compiledProgram,
        config: { auth: { mode: 'github' }, github: { client_id: clientId } },
        env: { ...github.env, HTTPS_PROXY: proxy, https_proxy: proxy, ...withoutProxy, NEXUS_TOKEN: '' },
      }),
    );
    await nexus.startServer();
    const root = await mkdtemp(join(tmpdir(), 'nexus-journey-'));
    cleanup.defer(() => rm(root, { recursive: true, force: true }));
    const programs = await linkPrograms(join(root, 'programs'));
    return {
      github,
      nexus,
      async person(login, options) {
        const person = await createPerson(login, { github, root, programs, gh: options.gh !== 'absent' });
        if (options.key) await makeKey(person);
        if (options.gh === 'signed in') await signInGh(person, github);
        return person;
      },
      [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
    };
  } catch (thrown) {
    await cleanup.disposeAsync();
    throw thrown;
  }
}

type Surroundings = {
  readonly github: FakeGithub;
  readonly root: string;
  readonly programs: string;
  readonly gh: boolean;
};

async function createPerson(login: string, { github, root, programs, gh }: Surroundings): Promise<Person> {
  const folder = await mkdtemp(join(root, `${login}-`));
  const [home, bin] = [join(folder, 'home'), join(folder, 'bin')];
  for (const made of [home, bin]) await mkdir(made);
  if (gh) await symlink('/usr/bin/gh', join(bin, 'gh'));
  const [program = ''] = compiledProgram;
  await symlink(program, join(bin, 'nexus'));
  await writeFile(join(bin, 'code'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${folder}/code.args'\n`, { mode: 0o755 });
  // ssh goes by the home folder of the account, not by $HOME.
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F "$HOME/.ssh/config" "$@"\n`, { mode: 0o755 });
  const env: Record<string, string> = {
    ...github.env,
    HOME: home,
    PATH: `${bin}:${programs}`,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
    BROWSER: 'true',
  };
  const run = async (file: string, args: readonly string[]): Promise<CommandResult> => {
    const done = await execa(file, args, { env, extendEnv: false, reject: false, stdin: 'ignore', timeout: 120_000 });
    return { exitCode: done.exitCode ?? 1, stdout: done.stdout ?? '', stderr: done.stderr ?? '' };
  };
  return {
    login,
    home,
    env,
    run,
    nexus: (...args) => run('nexus', args),
    atTerminal: (...args) => inTerminal(['nexus', ...args], env),
    mountAt: (name, state) => mountSmall(join(home, name), state),
    editorArgs: async () => readFile(join(folder, 'code.args'), 'utf8').then(lastLine, () => null),
  };
}

async function mountSmall(folder: string, state: 'full' | 'read-only'): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'nexus-test', folder]);
  if (state === 'full') await execa('dd', ['if=/dev/zero', `of=${folder}/full`, 'bs=4k'], { reject: false });
  else await execa('mount', ['-o', 'remount,ro', folder]);
  return { [Symbol.asyncDispose]: async () => void (await execa('umount', [folder])) };
}

/** All of the system's programs but gh and the editors. */
async function linkPrograms(folder: string): Promise<string> {
  await mkdir(folder);
  for (const name of new Set([...(await readdir('/usr/bin')), ...(await readdir('/bin'))]))
    if (!['gh', 'ssh', 'code', 'vim', 'nvim'].includes(name)) await symlink(join('/usr/bin', name), join(folder, name));
  return folder;
}

async function makeKey(person: Person): Promise<void> {
  const folder = join(person.home, '.ssh');
  await mkdir(folder, { mode: 0o700 });
  const { exitCode, stderr } = await person.run('ssh-keygen', [
    '-qt',
    'ed25519',
    '-N',
    '',
    '-f',
    join(folder, 'id_ed25519'),
  ]);
  if (exitCode !== 0) throw new Error(stderr);
}

async function signInGh({ login, env }: Person, github: FakeGithub): Promise<void> {
  const input = github.addToken(login, { scopes });
  await execa('gh', ['auth', 'login', '--with-token'], { env, extendEnv: false, input });
}

const enterEveryMs = 250;

/** By util-linux's `script`, which is given a line for each question. */
async function inTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandResult> {
  const command = args.map((arg) => `'${arg.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 120; ${command}`, '/dev/null'], { env, timeout: 120_000 });
  let shown = '';
  let located = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    // gh asks the terminal where its cursor is.
    for (; located < (shown.match(cursorQuestion)?.length ?? 0); located += 1) child.stdin.write('\u001B[1;1R');
  });
  // gh drops what comes before it listens, so Enter is pressed until there is an answer.
  const enter = setInterval(() => {
    if (/(?:\[Y\/n\]|\[y\/N\]|\(Y\/n\)|Press Enter[^\n]*) *$/.test(plain(shown))) child.stdin.write('\r');
  }, enterEveryMs);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearInterval(enter);
  return { exitCode: exitCode ?? 1, stdout: plain(shown), stderr: '' };
}

// oxlint-disable-next-line no-control-regex -- that is what it is for
const cursorQuestion = /\u001B\[6n/g;

/** Without what moves the cursor and colours the text. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- that is what it is for
  return text.replaceAll(/\u001B(?:\[[0-9;?]*[A-Za-z]|\][^\u0007]*\u0007|[=>78])/g, '').replaceAll('\r', '');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Is no Nexus; `oldUrl` is one of long ago, and `httpsUrl` has a certificate that only it knows. */
export async function startForeignServer(): Promise<
  AsyncDisposable & { httpUrl: string; oldUrl: string; httpsUrl: string }
> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-foreign-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const answer = (_request: unknown, response: ServerResponse): void => void response.writeHead(404).end('<html>');
  const answerLikeBefore = ({ method, url }: IncomingMessage, response: ServerResponse): void => {
    const body = {
      error: 'not_found',
      message: 'No.',
      hint: 'x',
      details: { kind: 'endpoint', name: `${method} ${url}` },
    };
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ ...body, request_id: '1' }));
  };
  const plainServer = createHttpServer(answer);
  const oldServer = createHttpServer(answerLikeBefore);
  const tlsServer = createHttpsServer({ key: await readFile(key), cert: await readFile(cert) }, answer);
  const urls: string[] = [];
  for (const [server, scheme] of [
    [plainServer, 'http'],
    [oldServer, 'http'],
    [tlsServer, 'https'],
  ] as const) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    urls.push(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  const [httpUrl = '', oldUrl = '', httpsUrl = ''] = urls;
  return {
    httpUrl,
    oldUrl,
    httpsUrl,
    async [Symbol.asyncDispose]() {
      for (const server of [plainServer, oldServer, tlsServer]) server.close();
      await rm(folder, { recursive: true });
    },
  };
}
