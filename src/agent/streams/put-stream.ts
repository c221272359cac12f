import { NexusError, toNexusError } from '../../contract/errors.ts';
import { writeLine } from '../../contract/json-line.ts';
import { writeWithin } from '../../contract/exec-frames.ts';
import { answerStream, endSoon } from '../../contract/stream-client.ts';
import { readSome } from '../guest/read-some.ts';
import { startScript } from '../guest/run-script.ts';
import type { StreamHandler } from './stream-context.ts';

const mostErrorBytes = 64 * 1024;

/** The repository's bundle, streamed into the instance. The second answer says that it is there whole. */
export const putStream: StreamHandler<'put'> = async ({ size }, socket, { provider, instance }) => {
  const handle = await startScript(provider, instance.id, { script: 'put-source', args: [String(size)] });
  answerStream(socket, { ok: true });
  try {
    handle.stdout.resume();
    const errors = readSome(handle.stderr, mostErrorBytes);
    errors.catch(() => undefined); // asked for below, when it failed
    let left = size;
    if (left > 0) {
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        const wanted = (chunk as Buffer).subarray(0, left);
        left -= wanted.length;
        if (!(await writeWithin(handle.stdin, wanted)) || left === 0) break;
      }
    }
    handle.stdin.end();
    const exitCode = await handle.exitCode;
    if (exitCode !== 0) throw putFailed(instance.id, await errors);
    writeLine(socket, { ok: true });
    endSoon(socket);
  } catch (error) {
    handle.stdin.end();
    if (!socket.destroyed) answerStream(socket, toNexusError(error));
  }
};

function putFailed(id: string, said: string): NexusError {
  if (/no space left|disk quota/i.test(said)) return new NexusError('disk_full', { where: id });
  return new NexusError('stream_failed', {
    reason: said.trim() || 'the repository could not be put into the workspace',
  });
}
