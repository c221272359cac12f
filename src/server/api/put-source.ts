/** The repository of a workspace, streamed to the disk as a git bundle; it is there whole or not at all. */
import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';
import type { CreateWorkspaceRequest } from '../../contract/workspace.ts';
import { uploadFile } from '../data-dir.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { findWorkspace, updateWorkspace } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace } from './find-workspace.ts';
import type { Handler } from './handler.ts';

/** gitformat-bundle(5): `# v2 git bundle`, `# v3 git bundle`. */
const bundleSignature = /^# v\d git bundle\n/;
const signatureBytes = 16;
/** How long an upload may pause. */
const pauseMs = 60_000;
export const uploadType = 'application/octet-stream';

export function putSourceHandler({
  store,
  config,
  reconciler,
}: Pick<AppDeps, 'store' | 'config' | 'reconciler'>): Handler<'putSource'> {
  return async ({ params, caller, request }) => {
    const { id } = params;
    checkWanted(await findOwnWorkspace(store.db, caller, id));
    const file = uploadFile(config.data_dir, id);
    // Of two uploads at once each has its own, and the last one whole counts.
    const part = `${file}.${randomUUID()}.part`;
    try {
      await writeBundle(request.body as Readable, part, config.limits.upload);
      await rename(part, file);
      await syncFolder(dirname(file));
    } catch (error) {
      throw asFull(error, dirname(file));
    } finally {
      await rm(part, { force: true });
    }
    const isWanted = await store.transaction(async (tx) => {
      const row = await findWorkspace(tx, id);
      if (row && mayNeedUpload(row)) await updateWorkspace(tx, id, { uploaded: 1 });
      return row !== undefined && mayNeedUpload(row);
    });
    // It was deleted, or had an earlier upload taken over, while this one came.
    if (!isWanted) await rm(file, { force: true });
    checkWanted(await findOwnWorkspace(store.db, caller, id));
    reconciler.nudge(id);
  };
}

/** What a server left behind that was killed in the middle of an upload, or just before it dropped one. */
export async function dropUselessUploads(dataDir: string, store: Store): Promise<void> {
  const folder = dirname(uploadFile(dataDir, 'any'));
  for (const name of await readdir(folder)) {
    const row = name.endsWith('.bundle') ? await findWorkspace(store.db, basename(name, '.bundle')) : undefined;
    if (!row || !mayNeedUpload(row)) await rm(join(folder, name), { force: true });
  }
}

/** Until its configuration is taken over, it may be cloned anew. */
function mayNeedUpload({ config_json }: WorkspaceRow): boolean {
  return config_json === null;
}

/** @throws invalid_request unless the workspace waits for its repository */
function checkWanted({ request_json, commit_id }: WorkspaceRow): void {
  const { repo } = JSON.parse(request_json) as CreateWorkspaceRequest;
  const problem =
    repo.source === 'upload'
      ? commit_id === null
        ? null
        : 'is in the workspace already'
      : 'comes from its URL, as repo.source is not upload';
  if (problem !== null) throw new NexusError('invalid_request', { fields: [{ path: 'source', problem }] });
}

/** @throws payload_too_large, invalid_request when it is no bundle */
async function writeBundle(body: Readable, part: string, limitBytes: number): Promise<void> {
  await using file = await open(part, 'wx', 0o600);
  let size = 0;
  let head = Buffer.alloc(0);
  const timer = setTimeout(() => body.destroy(), pauseMs);
  using _timer = { [Symbol.dispose]: () => clearTimeout(timer) };
  // A refusal must not destroy the connection, or it would never arrive.
  for await (const piece of body.iterator({ destroyOnReturn: false })) {
    timer.refresh();
    const chunk = piece as Buffer;
    size += chunk.length;
    if (size > limitBytes) throw new NexusError('payload_too_large', { limit_bytes: limitBytes });
    if (head.length < signatureBytes) {
      head = Buffer.concat([head, chunk.subarray(0, signatureBytes)]);
      if (head.length >= signatureBytes) checkSignature(head);
    }
    await file.writeFile(chunk);
  }
  checkSignature(head);
  await file.sync();
}

function checkSignature(head: Buffer): void {
  if (bundleSignature.test(head.toString('latin1'))) return;
  throw new NexusError('invalid_request', { fields: [{ path: 'body', problem: 'is not a git bundle' }] });
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

export function asFull(error: unknown, folder: string): unknown {
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  return full ? new NexusError('disk_full', { where: `the disk of ${folder}` }, { cause: error }) : error;
}
