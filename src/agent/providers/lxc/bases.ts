import { NexusError } from '../../../contract/errors.ts';
import { withHostLock } from '../../../lib/host-lock.ts';
import { createSingleFlight } from '../../../lib/single-flight.ts';
import type { BaseRef, BaseSpec } from '../provider.ts';
import { resolverAddresses } from './address-range.ts';
import { isPackageName } from './base-packages.ts';
import { buildBase, type BuildContext } from './base-build.ts';
import { baseId, baseLock, baseName, canonicalSpec, type CanonicalSpec } from './base-spec.ts';
import type { EngineClient } from './engine-client.ts';
import { isNotFound, unavailable } from './engine-failure.ts';
import { engineInstance } from './instance-config.ts';
import { keys } from './layout.ts';
import { readSurroundings, surroundingsFingerprint } from './surroundings.ts';

export type EnsureOptions = {
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Ends the waiting; the build itself goes on, for the next who asks. */
  readonly signal?: AbortSignal | undefined;
};

export type Bases = { ensure(spec: BaseSpec, options: EnsureOptions): Promise<BaseRef> };

/**
 * The ready-made, stopped instances that workspaces are copied from. A base has its name from what it is made of;
 * it is made under another, and gets its own when it is whole. One process of the host builds a base at a time.
 */
export function createBases(context: BuildContext, { carrySurroundings }: { carrySurroundings: boolean }): Bases {
  const { engine, signal } = context;
  const singleFlight = createSingleFlight();

  async function makeSure(spec: CanonicalSpec, onProgress: (line: string) => void): Promise<void> {
    const resolvers = resolverAddresses(await context.range());
    const surroundings = await readSurroundings({ resolvers, carry: carrySurroundings });
    const wanted = surroundingsFingerprint(surroundings);
    if ((await surroundingsOf(engine, spec)) === wanted) return;
    const plain = { ...spec, packages: [] };
    if (spec.packages.length > 0) await ensure(plain, onProgress);
    const onWait = (): void => onProgress('another process of this node is building the base');
    await withHostLock(
      baseLock(baseId(spec)),
      async () => {
        const found = await surroundingsOf(engine, spec);
        if (found === wanted) return;
        const request = { spec, surroundings, onProgress };
        if (found !== null)
          await buildBase(context, { ...request, origin: { kind: 'outdated', base: baseName(spec) } });
        else if (spec.packages.length === 0) await buildBase(context, { ...request, origin: { kind: 'image' } });
        else await buildBase(context, { ...request, origin: { kind: 'plain', base: baseName(plain) } });
      },
      { onWait, signal },
    );
  }

  async function ensure(spec: CanonicalSpec, onProgress: (line: string) => void): Promise<BaseRef> {
    const name = baseName(spec);
    await singleFlight(name, () => makeSure(spec, onProgress));
    return { name, ...spec };
  }

  return {
    async ensure(spec, { onProgress = () => undefined, signal }) {
      const wrong = spec.packages.filter((name) => !isPackageName(name));
      if (wrong.length > 0)
        throw new NexusError('package_install_failed', {
          packages: spec.packages,
          output: wrong.map((name) => `${name} is not a package name`),
        });
      signal?.throwIfAborted();
      return untilAborted(ensure(canonicalSpec(spec), onProgress), signal);
    },
  };
}

/** Whether the base is on the node, for those who only look. */
export async function hasBase(engine: EngineClient, spec: BaseSpec): Promise<boolean> {
  return (await surroundingsOf(engine, canonicalSpec(spec))) !== null;
}

/** Fingerprint of the surroundings that the base was made in; null: there is no such base. */
async function surroundingsOf(engine: EngineClient, spec: CanonicalSpec): Promise<string | null> {
  try {
    const found = await engine.get(`/1.0/instances/${baseName(spec)}`, engineInstance);
    return found.config[keys.surroundings] ?? '';
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw unavailable(thrown);
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
