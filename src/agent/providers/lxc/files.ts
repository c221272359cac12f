import type { Readable } from 'node:stream';
import { NexusError } from '../../../contract/errors.ts';
import type { FileOptions } from '../provider.ts';
import type { EngineClient } from './engine-client.ts';
import { fromEngine, isNotFound } from './engine-failure.ts';

const openTimeoutMs = 60_000;

/**
 * Streams content into a file of an instance, running or not. A file that is there is replaced: the engine would
 * leave its mode and owner as they are.
 * @throws disk_full, stream_failed
 */
export async function putFile(
  engine: EngineClient,
  name: string,
  path: string,
  content: Readable | Buffer,
  { mode, owner }: FileOptions,
): Promise<void> {
  const id = owner === 'dev' ? '1000' : '0';
  const headers = {
    'content-type': 'application/octet-stream',
    'x-lxd-type': 'file',
    'x-lxd-write': 'overwrite',
    'x-lxd-mode': mode.toString(8).padStart(4, '0'),
    'x-lxd-uid': id,
    'x-lxd-gid': id,
  };
  const query = { path };
  await removeFile(engine, name, path);
  await engine
    .upload(`/1.0/instances/${name}/files`, content, {
      headers: withIncusNames(headers),
      query,
      timeoutMs: openTimeoutMs,
    })
    .catch((thrown) => {
      throw failed(thrown, name, path);
    });
}

/** @throws not_found, stream_failed */
export async function getFile(engine: EngineClient, name: string, path: string): Promise<Readable> {
  try {
    const response = await engine.download(`/1.0/instances/${name}/files`, {
      query: { path },
      timeoutMs: openTimeoutMs,
    });
    if (response.headers['x-lxd-type'] !== 'directory' && response.headers['x-incus-type'] !== 'directory')
      return response;
    response.destroy();
    throw new NexusError('stream_failed', { reason: `${path} is a folder` });
  } catch (thrown) {
    if (isNotFound(thrown)) throw new NexusError('not_found', { kind: 'file', name: path }, { cause: thrown });
    throw failed(thrown, name, path);
  }
}

async function removeFile(engine: EngineClient, name: string, path: string): Promise<void> {
  await engine.change('DELETE', `/1.0/instances/${name}/files`, undefined, { query: { path } }).catch((thrown) => {
    if (!isNotFound(thrown)) throw failed(thrown, name, path);
  });
}

/** Incus calls its headers by its own name. */
function withIncusNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  const both = Object.entries(headers).flatMap(([name, value]) => [
    [name, value],
    [name.replace('x-lxd-', 'x-incus-'), value],
  ]);
  return Object.fromEntries(both);
}

function failed(thrown: unknown, name: string, path: string): unknown {
  return fromEngine(thrown, name, (reason) => new NexusError('stream_failed', { reason: `${path}: ${reason}` }));
}
