/** Local mode: one token, in a file that only the user who started the server can read, for that user. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NexusError } from '../../contract/errors.ts';
import { createFileOnce } from '../../lib/atomic-file.ts';
import type { Authenticator, OsUser, TokenOwner } from './authenticator.ts';

const tokenForm = /^nxl_[A-Za-z0-9_-]{43}$/;

/** Makes `local-token` (0600) in the data folder when there is none. */
export async function createLocalAuthenticator({
  dataDir,
  osUser,
}: {
  dataDir: string;
  osUser: OsUser;
}): Promise<Authenticator> {
  const expected = sha256(await readToken(join(dataDir, 'local-token')));
  // GitHub's ids begin at 1, root's uid is 0.
  const owner: TokenOwner = { githubUsername: osUser.username, githubId: osUser.uid + 1, admin: true };
  return {
    async authenticate(token) {
      if (timingSafeEqual(sha256(token), expected)) return owner;
      throw new NexusError('unauthorized', { reason: 'the token is not the one of this server' });
    },
  };
}

async function readToken(file: string): Promise<string> {
  await createFileOnce(file, `nxl_${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  const token = (await readFile(file, 'utf8')).trim();
  if (tokenForm.test(token)) return token;
  const problem =
    'is not a token that this server has written; remove the file, and a new one is made at the next start';
  throw new NexusError('config_invalid', { file, problems: [{ path: 'local-token', problem }], of: 'data' });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
