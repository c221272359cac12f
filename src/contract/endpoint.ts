import type { z } from 'zod';

export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `:name` for parameters. */
  readonly path: string;
  /** Other paths that answer the same. */
  readonly aliases?: readonly string[];
  /** The same outside of `/api/v1`. */
  readonly rootAliases?: readonly string[];
  readonly summary: string;
  readonly access: 'anyone' | 'user' | 'admin';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The success status and its body; `null` for none. */
  readonly status: 200 | 201 | 202 | 204;
  readonly response: z.ZodType | null;
  /** Another success status, for what the same request may come to. */
  readonly otherStatus?: 200 | 304;
  /** Request headers of its own. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** The definition, with its types as narrow as they are. */
export function endpoint<const E extends Endpoint>(definition: E): E {
  return definition;
}
