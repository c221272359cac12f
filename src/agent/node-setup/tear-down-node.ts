import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { removeNetworkRules } from '../providers/lxc/apply-network-rules.ts';
import type { EngineClient } from '../providers/lxc/engine-client.ts';
import { isNotFound, unavailable } from '../providers/lxc/engine-failure.ts';
import { rangeKey } from '../providers/lxc/engine-project.ts';
import { layout } from '../providers/lxc/layout.ts';
import { removeInstance } from '../providers/lxc/lifecycle.ts';
import { engineVersion } from './engine-running.ts';
import { sysctlFile } from './kernel-limits.ts';
import { nodeEngine, type NodeOptions } from './node-steps.ts';

const deleteTimeoutMs = 120_000;

/**
 * Removes all of ours from the machine's engine and network: instances, bases, images, project, pool, rules. What
 * others have there stays, and so does the engine. Repeating it is harmless.
 */
export async function tearDownNode(
  options: NodeOptions & { readonly onStep?: ((line: string) => void) | undefined },
): Promise<void> {
  const { onStep = () => undefined, pool = layout.pool, ...node } = options;
  if ((await engineVersion(options.socketPath)) === null) onStep('no engine answers: nothing to remove from it');
  else {
    const engine = nodeEngine(node);
    await emptyEngine(engine, pool, onStep);
    if (await isStillUsed(engine)) return;
  }
  onStep('removing the network rules and kernel limits');
  await removeNetworkRules();
  await rm(sysctlFile, { force: true });
  await rm(layout.cacheFolder, { recursive: true, force: true });
}

/** Instances of all clusters, images, the project, and the pool. */
async function emptyEngine(engine: EngineClient, pool: string, onStep: (line: string) => void): Promise<void> {
  const named = z.array(z.object({ name: z.string() }));
  const printed = z.array(z.object({ fingerprint: z.string() }));
  const query = { recursion: '1' };
  const instances = (await engine.get('/1.0/instances', named, { query }).catch(absent)) ?? [];
  for (const { name } of instances) {
    onStep(`removing ${name}`);
    await removeInstance(engine, name);
  }
  const images = (await engine.get('/1.0/images', printed, { query }).catch(absent)) ?? [];
  for (const { fingerprint } of images) {
    const options = { timeoutMs: deleteTimeoutMs };
    await engine.operate('DELETE', `/1.0/images/${fingerprint}`, undefined, options).catch(absent);
  }
  onStep(`removing the project ${engine.project} and the pool ${pool}`);
  await engine.change('DELETE', `/1.0/projects/${engine.project}`).catch(absent);
  const options = { timeoutMs: deleteTimeoutMs };
  await engine.change('DELETE', `/1.0/storage-pools/${pool}`, undefined, options).catch(absent);
}

/** Whether another project of the engine was set up by us: then the machine goes on being a node. */
async function isStillUsed(engine: EngineClient): Promise<boolean> {
  const projects = z.array(z.object({ config: z.record(z.string(), z.string()) }));
  const found = await engine.get('/1.0/projects', projects, { query: { recursion: '1', project: 'default' } });
  return found.some(({ config }) => config[rangeKey] !== undefined);
}

function absent(thrown: unknown): null {
  if (isNotFound(thrown)) return null;
  throw unavailable(thrown);
}
