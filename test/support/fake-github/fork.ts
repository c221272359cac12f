import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { forkBareRepository } from './bare-repository.ts';
import { findRepository, nextId, rootOf } from './world.ts';
import type { Account, Repository, World } from './world.ts';

/** The account's repository of the same network, whatever its name. */
export function forkOf(world: World, original: Repository, owner: Account): Repository | undefined {
  const root = rootOf(original);
  return world.repositories.find((one) => one.owner === owner && one.parent !== null && rootOf(one) === root);
}

/** A name that the owner has for something else gets a number, as at GitHub. */
export async function makeFork(
  world: World,
  original: Repository,
  { owner, name = original.name, now }: { owner: Account; name?: string; now: Date },
): Promise<Repository> {
  const folder = join(world.folder, `${randomBytes(6).toString('hex')}.git`);
  await forkBareRepository(original.folder, folder);
  const fork: Repository = {
    id: nextId(world),
    owner,
    name: freeName(world, owner, name),
    private: original.private,
    description: original.description,
    defaultBranch: original.defaultBranch,
    permissions: new Map(),
    parent: original,
    pulls: [],
    folder,
    hiddenFor: world.forksHiddenFor,
    createdAt: now.toISOString(),
  };
  world.repositories.push(fork);
  return fork;
}

function freeName(world: World, owner: Account, wanted: string): string {
  for (let number = 0; ; number++) {
    const name = number === 0 ? wanted : `${wanted}-${number}`;
    if (findRepository(world, owner.login, name) === undefined) return name;
  }
}
