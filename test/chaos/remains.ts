/** The end of a chaos run: everything is deleted and stopped, and the host is compared with what it was before. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { api, until } from '../support/installation.ts';
import type { Arena } from './arena.ts';
import { findLeftovers } from './leftovers.ts';
import { allProcesses, processesOf } from './processes.ts';
import type { Workspace } from './workspaces.ts';

export type HostSnapshot = { readonly rules: string; readonly relayFolders: ReadonlySet<string> };

const goneWithinMs = 30_000;

/** @throws with what is left over */
export async function findRemains(arena: Arena, workspaces: readonly Workspace[], before: HostSnapshot): Promise<void> {
  const { nexus } = arena;
  await Promise.all(
    workspaces.map(async (workspace) => {
      if (workspace.asked !== 'gone') await api(nexus, 'DELETE', `/workspaces/${workspace.id}?force=true`);
      workspace.asked = 'gone';
    }),
  );
  await findLeftovers(arena, workspaces);
  const rules = await networkRules();
  if (rules !== before.rules) throw new Error(`network rules before:\n${before.rules}\nand after:\n${rules}`);
  const folders = (await relayFolders()).difference(before.relayFolders);
  if (folders.size > 0) throw new Error(`left over in ${tmpdir()}: ${[...folders].join(', ')}`);
  await stopAll(arena);
  const engine = (await allProcesses()).filter(({ args }) =>
    workspaces.some(({ ids }) => [...ids].some((id) => args.join(' ').includes(id.replace(/^ws-/, '')))),
  );
  if (engine.length > 0) throw new Error(`processes left over: ${engine.map(({ args }) => args.join(' ')).join('; ')}`);
}

/** A server that is told to end takes the gateway and the agent with it. */
async function stopAll({ nexus }: Arena): Promise<void> {
  process.kill(await nexus.pid('server'), 'SIGTERM');
  let left: string[] = [];
  const isOver = async (): Promise<boolean> => {
    left = (await processesOf(nexus)).map(({ args }) => args.join(' '));
    const { stdout } = await execa('ss', ['-Hltn']);
    for (let port = nexus.ports.ssh; port < nexus.ports.services + 40; port += 1)
      if (stdout.includes(`:${port} `)) left.push(`listener at ${port}`);
    return left.length === 0;
  };
  await until(isOver, 'all processes to end', goneWithinMs).catch(() => {
    throw new Error(`left over after the end: ${left.join('; ')}`);
  });
}

/** Without the numbers that the kernel gives to rules, and what it counts: the connections of each address among it. */
export async function networkRules(): Promise<string> {
  const { stdout } = await execa('nft', ['--stateless', 'list', 'table', 'inet', 'nexus'], { reject: false });
  return stdout.replaceAll(/\n\s*elements = \{[^}]*\}/g, '');
}

export async function relayFolders(): Promise<Set<string>> {
  return new Set((await readdir(tmpdir())).filter((name) => name.startsWith('nexus-relay-')));
}
