import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { NexusError } from '../contract/errors.ts';
import type { ServerConfig } from '../contract/server-config.ts';
import { unreadable } from './load-config.ts';

export type Certificate = { readonly cert: Buffer; readonly key: Buffer };

/** @throws config_invalid naming the file that cannot be read, or what keeps both from being used together */
export function readCertificate(tls: NonNullable<ServerConfig['tls']>): Certificate {
  const pair = { cert: readPem(tls.cert, 'tls.cert'), key: readPem(tls.key, 'tls.key') };
  try {
    createSecureContext(pair);
  } catch (error) {
    const problem = `${tls.cert} and ${tls.key} are not a PEM certificate and its key: ${(error as Error).message}`;
    throw new NexusError(
      'config_invalid',
      { file: 'configuration', problems: [{ path: 'tls', problem }], of: 'server' },
      { cause: error },
    );
  }
  return pair;
}

function readPem(file: string, key: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error, key);
  }
}
