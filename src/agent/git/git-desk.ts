/**
 * Where git in the workspaces of a node asks for the credentials of their owners: a unix socket for each workspace, in a
 * folder of the node that only that workspace sees. Answers come from memory; nothing of them is written down.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitCredential } from '../../contract/control-protocol.ts';
import type { Logger } from '../../lib/log.ts';
import { answerGit, type GitAnswer, type GitQuestion, type Lent } from './answer-git.ts';
import { openGitSocket, type GitSocket } from './git-socket.ts';

export type GitDesk = AsyncDisposable & {
  /** All that is lent from now on. */
  take(credentials: readonly GitCredential[]): void;
  /** The folder for a workspace, with its socket. Where there can be none (its path is too long), a workspace is of use without. */
  open(id: string): Promise<string>;
  close(id: string): Promise<void>;
  /** Opens those that an earlier process of this agent left. */
  reopen(): Promise<void>;
};

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
  const sockets = new Map<string, Promise<GitSocket>>();
  const firstWord = Promise.withResolvers<void>();
  const patience = setTimeout(() => firstWord.resolve(), firstWordWithinMs).unref();
  let lent: ReadonlyMap<string, Lent> = new Map();

  async function answer(id: string, question: GitQuestion): Promise<GitAnswer> {
    await firstWord.promise;
    const found = answerGit(question, lent.get(id), now());
    if ('isRejected' in found) onRejected(id);
    return found;
  }

  function openSocket(id: string): Promise<GitSocket> {
    return openGitSocket(join(folder, id), {
      answer: (question) => answer(id, question),
      onError: (error) => log.debug({ err: error, workspace: id }, 'a question of git came to nothing'),
    });
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
      const opening = sockets.get(id) ?? openSocket(id);
      sockets.set(id, opening);
      await opening.catch((error: unknown) => {
        sockets.delete(id);
        log.error({ err: error, workspace: id }, 'git in this workspace cannot ask for credentials');
      });
      return join(folder, id);
    },
    async close(id) {
      const socket = await sockets.get(id)?.catch(() => undefined);
      sockets.delete(id);
      socket?.close();
      await rm(join(folder, id), { recursive: true, force: true });
    },
    async reopen() {
      const ids = await readdir(folder).catch(() => []);
      await Promise.all(ids.map((id) => desk.open(id)));
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(patience);
      firstWord.resolve();
      for (const opening of sockets.values()) (await opening.catch(() => undefined))?.close();
      sockets.clear();
    },
  };
  return desk;
}
