import { randomInt } from 'node:crypto';
import { z } from 'zod';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Resource ids are a prefix and 12 of `[a-z0-9]` from a cryptographic source (api.md). */
export function newId(prefix: 'ws' | 'user' | 'req' | 'op'): string {
  return `${prefix}-${Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('')}`;
}

export const workspaceId = z.string().regex(/^ws-[a-z0-9]{12}$/, 'is not a workspace id (ws- and 12 of a-z0-9)');

/** 1 to 40 of `[a-z0-9-]`, no dash at either end. */
export const workspaceName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'must be 1 to 40 of a-z, 0-9 and -, with no - at either end');

/** Also the tail of a systemd unit's name and a label in environment variables. */
export const serviceName = z
  .string()
  .regex(
    /^[a-zA-Z0-9](?:[a-zA-Z0-9_-]{0,38}[a-zA-Z0-9])?$/,
    'must be 1 to 40 of letters, digits, - and _, with a letter or digit at both ends',
  );

export const port = z.int().min(1).max(65535);

/** A package of Debian or Ubuntu. */
export const packageName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9+.-]+$/, 'is not a package name');
