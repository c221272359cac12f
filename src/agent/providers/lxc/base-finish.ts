import { z } from 'zod';
import { instancesOf } from './addresses.ts';
import { baseName, scriptsId, unfinishedName, type CanonicalSpec } from './base-spec.ts';
import type { EngineClient } from './engine-client.ts';
import { isNotFound } from './engine-failure.ts';
import { keys, layout } from './layout.ts';
import { removeInstance } from './lifecycle.ts';
import { surroundingsFingerprint, type Surroundings } from './surroundings.ts';

const changeTimeoutMs = 60_000;

export type FinishedBase = {
  readonly spec: CanonicalSpec;
  readonly surroundings: Surroundings;
  /** Lines of `/etc/environment`: the engine gives them to what it runs inside. */
  readonly environment: readonly string[];
};

/**
 * Gives a finished base its name. One of before goes out of the way first, and then for good: workspaces that were
 * copied from it share nothing with it that it could take along.
 */
export async function finishBase(engine: EngineClient, base: FinishedBase): Promise<void> {
  const name = unfinishedName(base.spec);
  const final = baseName(base.spec);
  await setConfig(engine, name, base);
  const outdated = `${layout.replacedPrefix}${final.slice(layout.basePrefix.length)}`;
  await removeInstance(engine, outdated);
  await rename(engine, final, outdated).catch((thrown) => {
    if (!isNotFound(thrown)) throw thrown;
  });
  await rename(engine, name, final);
  await removeInstance(engine, outdated);
}

/** As a whole: variables of the instance that it was copied from must not stay. */
async function setConfig(
  engine: EngineClient,
  name: string,
  { surroundings, environment }: FinishedBase,
): Promise<void> {
  const path = `/1.0/instances/${name}`;
  const { config, ...rest } = await engine.get(path, z.looseObject({ config: z.record(z.string(), z.string()) }));
  const kept = Object.entries(config).filter(([key]) => !key.startsWith('environment.'));
  const variables = environment.map((line) => {
    const at = line.indexOf('=');
    return [`environment.${line.slice(0, at)}`, line.slice(at + 1)] as const;
  });
  const whole = {
    ...Object.fromEntries([...kept, ...variables]),
    [keys.scripts]: scriptsId(),
    [keys.surroundings]: surroundingsFingerprint(surroundings),
  };
  await engine.operate('PUT', path, { ...rest, config: whole }, { timeoutMs: changeTimeoutMs });
}

/**
 * Removes the bases that were made with other scripts than today's, by an earlier version. Only the node's set-up does:
 * an agent of that version may still run.
 */
export async function removeEarlierBases(engine: EngineClient): Promise<void> {
  const all = await instancesOf(engine);
  const earlier = all.filter(
    ({ name, config }) => name.startsWith(layout.basePrefix) && config[keys.scripts] !== scriptsId(),
  );
  for (const { name } of earlier) await removeInstance(engine, name);
}

async function rename(engine: EngineClient, from: string, to: string): Promise<void> {
  await engine.operate('POST', `/1.0/instances/${from}`, { name: to }, { timeoutMs: changeTimeoutMs });
}
