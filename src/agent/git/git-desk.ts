/**
 * Where git in the workspaces of a node asks for the credentials of their owners: a unix socket for each workspace, in a
 * folder of the node that only that workspace sees. Answers come from memory; nothing of them is written down.
 */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { GitCredential } from '../../contract/control-protocol.ts';
import type { Logger } from '../../lib/log.ts';
import { answerGit, type GitQuestion, type Lent } from './answer-git.ts';

export type GitDesk = AsyncDisposable & {
  /** All that is lent from now on. */
  take(credentials: readonly GitCredential[]): void;
  /** The folder for a workspace, with its socket. Where there can be none (its path is too long), a workspace is of use without. */
  open(id: string): Promise<string>;
  close(id: string): Promise<void>;
  /** Opens those that an earlier process of this agent left. */
  reopen(): Promise<void>;
};

const socketName = 'git.sock';

/** A workspace can hold up nobody but itself. */
const maxConnections = 16;
const maxQuestionBytes = 16 * 1024;
/** A git that asks while the agent was started a moment ago waits for the server's word. */
const firstWordWithinMs = 5_000;

export function createGitDesk(options: {
  /** Holds a folder for each workspace. */
  readonly folder: string;
  readonly onRejected: (workspaceId: string) => void;
  readonly log: Logger;
  readonly now?: () => Date;
}): GitDesk {
  const { folder, onRejected, log, now = () => new Date() } = options;
  const servers = new Map<string, Promise<Server>>();
  const firstWord = Promise.withResolvers<void>();
  const patience = setTimeout(() => firstWord.resolve(), firstWordWithinMs).unref();
  let lent: ReadonlyMap<string, Lent> = new Map();

  async function answer(id: string, question: GitQuestion, response: ServerResponse): Promise<void> {
    await firstWord.promise;
    const found = answerGit(question, lent.get(id), now());
    if ('isRejected' in found) onRejected(id);
    if ('reason' in found) response.writeHead(404).end(found.reason);
    else response.writeHead(200).end('credential' in found ? found.credential : '');
  }

  async function listen(id: string): Promise<Server> {
    const path = join(folder, id);
    const socket = join(path, socketName);
    await mkdir(path, { recursive: true });
    // Whatever the umask is.
    await chmod(path, 0o755);
    // Left by a process that was killed.
    await rm(socket, { force: true });
    const server = createServer((request, response) => {
      readQuestion(request)
        .then((question) => answer(id, question, response))
        .catch((error: unknown) => {
          log.debug({ err: error, workspace: id }, 'a question of git came to nothing');
          response.destroy();
        });
    });
    limitConnections(server);
    server.listen(socket);
    await once(server, 'listening');
    // Any user of the workspace may be the owner's git; nobody outside sees the folder.
    await chmod(socket, 0o666);
    return server;
  }

  const desk: GitDesk = {
    take(credentials) {
      lent = new Map(
        credentials.flatMap(({ workspaces, ...credential }) => workspaces.map((id) => [id, credential] as const)),
      );
      clearTimeout(patience);
      firstWord.resolve();
    },
    async open(id) {
      const opening = servers.get(id) ?? listen(id);
      servers.set(id, opening);
      await opening.catch((error: unknown) => {
        servers.delete(id);
        log.error({ err: error, workspace: id }, 'git in this workspace cannot ask for credentials');
      });
      return join(folder, id);
    },
    async close(id) {
      const server = await servers.get(id)?.catch(() => undefined);
      servers.delete(id);
      server?.closeAllConnections();
      server?.close();
      await rm(join(folder, id), { recursive: true, force: true });
    },
    async reopen() {
      const ids = await readdir(folder).catch(() => []);
      await Promise.all(ids.map((id) => desk.open(id)));
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(patience);
      firstWord.resolve();
      for (const opening of servers.values()) {
        const server = await opening.catch(() => undefined);
        server?.closeAllConnections();
        server?.close();
      }
      servers.clear();
    },
  };
  return desk;
}

function limitConnections(server: Server): void {
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
    if (open > maxConnections) socket.destroy();
  });
}

async function readQuestion(request: IncomingMessage): Promise<GitQuestion> {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxQuestionBytes) request.destroy(new Error('the question is too long'));
  });
  return { operation: (request.url ?? '').slice(1), attributes: await text(request) };
}
