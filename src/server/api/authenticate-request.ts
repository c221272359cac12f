import type { FastifyRequest } from 'fastify';
import type { Endpoint } from '../../contract/api.ts';
import { NexusError } from '../../contract/errors.ts';
import type { AppDeps } from './app-deps.ts';
import type { Caller } from './handler.ts';
import { findUserByGithubId } from '../store/users.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody needs to sign in. */
    caller: Caller | null;
  }
}

/** @throws unauthorized, forbidden */
export async function authenticateRequest(
  request: FastifyRequest,
  { authenticator, store, access }: Pick<AppDeps, 'authenticator' | 'store'> & { access: Endpoint['access'] },
): Promise<void> {
  if (access === 'anyone') return;
  const owner = await authenticator.authenticate(bearerToken(request.headers.authorization));
  request.caller = { ...owner, user: await findUserByGithubId(store.db, owner.githubId) };
  if (access === 'admin' && !owner.admin) throw new NexusError('forbidden', { reason: 'this is for administrators' });
}

function bearerToken(header: string | undefined): string {
  if (header === undefined)
    throw new NexusError('unauthorized', { reason: 'the request has no token (Authorization: Bearer …)' });
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (token === undefined)
    throw new NexusError('unauthorized', { reason: 'the Authorization header is not of the form Bearer TOKEN' });
  return token;
}
