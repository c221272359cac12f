/** `~/.nexus/credentials` (0600): the token of a sign-in without gh, by host. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { Environment } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';

const credentials = z.record(z.string(), z.object({ token: z.string().min(1) }));

function fileOf(env: Environment): string {
  return join(nexusPaths(env).home, 'credentials');
}

export async function readCredential(env: Environment, host: string): Promise<string | null> {
  return (await readAll(env))[host]?.token ?? null;
}

export async function hostsOfCredentials(env: Environment): Promise<string[]> {
  return Object.keys(await readAll(env));
}

export async function saveCredential(env: Environment, host: string, token: string): Promise<string> {
  const file = fileOf(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await chmod(dirname(file), 0o700);
  const all = { ...(await readAll(env)), [host]: { token } };
  await writeFileAtomic(file, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  return file;
}

/** @returns whether there was one */
export async function removeCredential(env: Environment, host: string): Promise<boolean> {
  const { [host]: removed, ...others } = await readAll(env);
  if (removed === undefined) return false;
  if (Object.keys(others).length === 0) await rm(fileOf(env), { force: true });
  else await writeFileAtomic(fileOf(env), `${JSON.stringify(others, null, 2)}\n`, { mode: 0o600 });
  return true;
}

/** What cannot be read as credentials holds none: signing in again writes it anew. */
async function readAll(env: Environment): Promise<z.infer<typeof credentials>> {
  const text = await readOptionalFile(fileOf(env));
  if (text === null) return {};
  try {
    return credentials.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
