import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installation } from '../support/installation.ts';

/** Where a chaos run takes place. */
export type Arena = {
  readonly nexus: Installation;
  /** Program and arguments that are `nexus`. */
  readonly program: readonly string[];
  /** Among the arguments of every command that is run in a workspace. */
  readonly execMark: string;
};

/** By which the engine knows our instances. */
export async function clusterOf({ nexus }: Arena): Promise<string> {
  return (await readFile(join(nexus.dataDir, 'agent/cluster-id'), 'utf8')).trim();
}
