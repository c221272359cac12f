/** The unix socket at which git in one workspace asks for credentials: HTTP, a question each. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { GitAnswer, GitQuestion } from './answer-git.ts';

export type GitSocket = {
  /** Takes no more questions; who asks at the moment is cut off. */
  close(): void;
};

const socketName = 'git.sock';

/** A workspace can hold up nobody but itself. */
const maxConnections = 16;
const maxQuestionBytes = 16 * 1024;

/**
 * Makes the folder where it is not there.
 * @param options.onError a question came to nothing
 * @throws the system's error where there can be no socket (its path is too long)
 */
export async function openGitSocket(
  folder: string,
  options: {
    readonly answer: (question: GitQuestion) => Promise<GitAnswer>;
    readonly onError: (error: unknown) => void;
  },
): Promise<GitSocket> {
  const socket = join(folder, socketName);
  await mkdir(folder, { recursive: true });
  // Whatever the umask is.
  await chmod(folder, 0o755);
  // Left by a process that was killed.
  await rm(socket, { force: true });
  const server = createServer((request, response) => {
    readQuestion(request)
      .then(options.answer)
      .then((answer) => write(answer, response))
      .catch((error: unknown) => {
        options.onError(error);
        response.destroy();
      });
  });
  limitConnections(server);
  server.listen(socket);
  await once(server, 'listening');
  // Any user of the workspace may be the owner's git; nobody outside sees the folder.
  await chmod(socket, 0o666);
  return {
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function write(answer: GitAnswer, response: ServerResponse): void {
  if ('reason' in answer) response.writeHead(404).end(answer.reason);
  else response.writeHead(200).end('credential' in answer ? answer.credential : '');
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
