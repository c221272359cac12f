/** What an agent keeps in its folder to go on after a kill, before the server is there again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { streamTarget } from '../contract/control-protocol.ts';
import type { StreamTarget } from '../contract/stream-client.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';

/** Some hold keys. */
const ownerOnly = { mode: 0o600 };

/** Null before the first welcome. */
export async function loadClusterId(stateDir: string): Promise<string | null> {
  const text = await readFile(join(stateDir, 'cluster-id'), 'utf8').catch(() => '');
  return text.trim() || null;
}

export async function saveClusterId(stateDir: string, clusterId: string): Promise<void> {
  await writeFileAtomic(join(stateDir, 'cluster-id'), `${clusterId}\n`, ownerOnly);
}

export async function loadStreamTarget(stateDir: string): Promise<StreamTarget | null> {
  try {
    return streamTarget.nullable().parse(JSON.parse(await readFile(join(stateDir, 'streams.json'), 'utf8')));
  } catch {
    return null;
  }
}

export async function saveStreamTarget(stateDir: string, target: StreamTarget | null): Promise<void> {
  const known = z.nullable(streamTarget).parse(target);
  await writeFileAtomic(join(stateDir, 'streams.json'), `${JSON.stringify(known)}\n`, ownerOnly);
}

export async function saveProcess(stateDir: string): Promise<void> {
  await writeFileAtomic(join(stateDir, 'agent.json'), `${JSON.stringify({ pid: process.pid })}\n`, ownerOnly);
}
