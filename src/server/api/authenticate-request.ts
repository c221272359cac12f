import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../../contract/api.ts';
import { NexusError } from '../../contract/errors.ts';
import type { AppDeps } from './app-deps.ts';
import type { Caller } from './handler.ts';
import type { TokenOwner } from '../auth/authenticator.ts';
import type { UserRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { findUserByGithubId, renameUser } from '../store/users.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody needs to sign in. */
    caller: Caller | null;
  }
}

/** @throws unauthorized, forbidden */
export async function authenticateRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { authenticator, store, access }: Pick<AppDeps, 'authenticator' | 'store'> & { access: Endpoint['access'] },
): Promise<void> {
  if (access === 'anyone') return;
  const { warning, ...owner } = await authenticator.authenticate(bearerToken(request.headers.authorization));
  request.caller = { ...owner, user: await userOf(owner, store) };
  if (warning !== undefined) void reply.header('warning', `199 nexus "${quotable(warning)}"`);
  if (access === 'admin' && !owner.admin) throw new NexusError('forbidden', { reason: 'this is for administrators' });
}

/** The id is the person; their name may change. */
async function userOf({ githubId, githubUsername }: TokenOwner, store: Store): Promise<UserRow | undefined> {
  const user = await findUserByGithubId(store.db, githubId);
  if (!user || user.github_username === githubUsername) return user;
  await store.transaction((tx) => renameUser(tx, user.id, githubUsername));
  return { ...user, github_username: githubUsername };
}

/** Of a quoted-string in a header (RFC 9110, section 5.6.4). */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
}

/** @throws unauthorized */
export function bearerToken(header: string | undefined): string {
  if (header === undefined)
    throw new NexusError('unauthorized', { reason: 'the request has no token (Authorization: Bearer …)' });
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (token === undefined)
    throw new NexusError('unauthorized', { reason: 'the Authorization header is not of the form Bearer TOKEN' });
  return token;
}
