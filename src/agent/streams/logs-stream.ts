import { once } from 'node:events';
import type { Socket } from 'node:net';
import { writeWithin } from '../../contract/exec-frames.ts';
import { answerStream } from '../../contract/stream-client.ts';
import { cutOff } from '../../lib/cut-off.ts';
import { readLines } from '../guest/read-lines.ts';
import { formatEntry, journalArguments } from './log-lines.ts';
import type { StreamHandler } from './stream-context.ts';

/** Lines of the logs, and with `follow` every new one until the reader goes. */
export const logsStream: StreamHandler<'logs'> = async (request, socket, { provider, instance }) => {
  const command = ['journalctl', ...journalArguments(request)];
  const options = { named: request.source === undefined, placed: request.places === true };
  const handle = await provider.exec(instance.id, { command, user: 'root', env: { LC_ALL: 'C.UTF-8' } });
  answerStream(socket, { ok: true });
  handle.stdin.end();
  handle.stderr.resume();
  void gone(socket).then(() => handle.kill('SIGKILL'));
  try {
    for await (const json of readLines(handle.stdout)) {
      const text = formatEntry(json, options);
      if (text && !(await writeWithin(socket, text))) break;
    }
    if (!socket.destroyed) await handle.exitCode;
    socket.end();
  } catch {
    // The reader is to know that there may be more.
    cutOff(socket);
  }
};

/** The reader has gone: it never sends anything but its end. */
async function gone(socket: Socket): Promise<void> {
  socket.resume();
  if (socket.destroyed || socket.readableEnded) return;
  await Promise.race([once(socket, 'end'), once(socket, 'close')]).catch(() => undefined);
}
