import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { fromBody, NexusError } from '../contract/errors.ts';
import { readMessage } from '../contract/json-line.ts';
import { streamAnswer } from '../contract/stream-protocol.ts';
import type { OpenStream } from './collaborators.ts';
import { uploadFile } from './data-dir.ts';

/**
 * Streams the uploaded bundle of a workspace into its instance; returns when the node has it on disk.
 * @throws clone_failed when the bundle is not there, stream_failed, or the agent's error
 */
export async function sendUpload(
  openStream: OpenStream,
  { dataDir, node, workspaceId }: { dataDir: string; node: string; workspaceId: string },
): Promise<void> {
  const file = uploadFile(dataDir, workspaceId);
  const size = await stat(file).then(
    (stats) => stats.size,
    (cause: unknown) => {
      const reason = 'the uploaded repository is not on the server any more';
      throw new NexusError('clone_failed', { url: 'the upload', reason }, { cause });
    },
  );
  const stream = (await openStream(node, { kind: 'put', workspace_id: workspaceId, size })) as Socket;
  try {
    const answered = readMessage(stream, streamAnswer);
    answered.catch(() => undefined); // it is asked for below, whatever comes of the bytes
    const written = pipeline(createReadStream(file), stream, { end: false });
    const cause = await written.then(
      () => null,
      (error: unknown) => error,
    );
    // A node that takes no more says why.
    const answer = await answered.catch((error: unknown) => {
      throw new NexusError('stream_failed', { reason: 'the upload was interrupted' }, { cause: cause ?? error });
    });
    if ('error' in answer) throw fromBody(answer.error);
  } finally {
    stream.destroy();
  }
}

export async function dropUpload(dataDir: string, workspaceId: string): Promise<void> {
  await rm(uploadFile(dataDir, workspaceId), { force: true });
}
