/** The form of every handler: its types come from the endpoint's schemas, so what it gets was checked. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ResponseOf } from '../../contract/api-client.ts';
import type { EndpointName, endpoints } from '../../contract/api.ts';
import type { UserRow } from '../store/schema.ts';

type Table = typeof endpoints;

/** Whose token came with the request. */
export type Caller = {
  readonly githubUsername: string;
  readonly githubId: number;
  readonly admin: boolean;
  /** Undefined until the first thing of theirs is stored. */
  readonly user: UserRow | undefined;
};

type Parsed<N extends EndpointName, K extends 'params' | 'query' | 'body'> =
  Table[N] extends Record<K, infer S extends z.ZodType> ? z.output<S> : undefined;

export type Call<N extends EndpointName> = {
  readonly params: Parsed<N, 'params'>;
  readonly query: Parsed<N, 'query'>;
  readonly body: Parsed<N, 'body'>;
  readonly caller: Table[N]['access'] extends 'anyone' ? null : Caller;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  /** For what is not JSON: such a handler sends, or hijacks, itself. */
  readonly reply: FastifyReply;
};

export type Handler<N extends EndpointName> = (call: Call<N>) => Promise<ResponseOf<N>>;

/** One for each endpoint: a table without one does not compile. */
export type Handlers = { readonly [N in EndpointName]: Handler<N> };
