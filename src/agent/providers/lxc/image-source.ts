import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineFailure, isDiskFull } from './engine-failure.ts';
import { canonicalImage, type ImageReference, type ImageSource } from './image-reference.ts';
import { buildFromMirror } from './mirror-image.ts';

/** A server that does not answer must not hold up the node for long; the mirror is still there. */
const serverTimeoutMs = 10_000;
const downloadTimeoutMs = 15 * 60_000;

/**
 * An image of the release in the engine's store: from the first image server that has it, else built from the
 * distribution's mirror. Returns its fingerprint.
 * @throws image_not_found, disk_full
 */
export async function obtainImage(
  context: { readonly engine: EngineClient; readonly cacheFolder: string; readonly signal: AbortSignal },
  image: ImageReference,
  onProgress: (line: string) => void,
): Promise<string> {
  const { engine, cacheFolder, signal } = context;
  const failures: string[] = [];
  for (const source of image.sources) {
    onProgress(`asking ${source.server} for ${source.alias}`);
    try {
      return await pull(engine, source, signal);
    } catch (thrown) {
      if (!(thrown instanceof EngineFailure)) throw thrown;
      if (isDiskFull(thrown)) throw new NexusError('disk_full', { where: 'the image store' }, { cause: thrown });
      failures.push(`${source.server}: ${thrown.message}`);
    }
  }
  try {
    return await buildFromMirror(engine, image, { cacheFolder, onProgress, signal });
  } catch (thrown) {
    if (!(thrown instanceof NexusError) || thrown.code !== 'image_not_found') throw thrown;
    const reason = [...failures, String((thrown.details as { reason?: string }).reason)].join('; ');
    throw new NexusError('image_not_found', { image: canonicalImage(image), reason }, { cause: thrown });
  }
}

async function pull(engine: EngineClient, { server, alias }: ImageSource, signal: AbortSignal): Promise<string> {
  const source = { type: 'image', mode: 'pull', protocol: 'simplestreams', server, alias };
  const body = { source, auto_update: false, public: false };
  const operation = await engine.begin('POST', '/1.0/images', body);
  const early = await engine.waitFor(operation.id, { timeoutMs: serverTimeoutMs, signal }).catch(async (thrown) => {
    if (thrown instanceof EngineFailure && (await isDownloading(engine, operation.id))) return null;
    await engine.change('DELETE', `/1.0/operations/${operation.id}`).catch(() => undefined);
    throw thrown;
  });
  const done = early ?? (await engine.waitFor(operation.id, { timeoutMs: downloadTimeoutMs, signal }));
  return z.object({ fingerprint: z.string() }).parse(done.metadata).fingerprint;
}

async function isDownloading(engine: EngineClient, operationId: string): Promise<boolean> {
  const state = z.object({ status_code: z.number(), metadata: z.record(z.string(), z.unknown()).nullable() });
  const running = 103;
  const found = await engine.get(`/1.0/operations/${operationId}`, state).catch(() => null);
  return found?.status_code === running && found.metadata?.['download_progress'] !== undefined;
}
