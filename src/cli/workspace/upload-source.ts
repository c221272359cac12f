import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Client } from '../../contract/api-client.ts';
import type { Bundle } from '../git/bundle.ts';

/** Streams the bundle to the server; `onSent` is told the bytes that went out so far. */
export async function uploadSource(
  client: Client,
  options: { workspaceId: string; bundle: Bundle; signal: AbortSignal; onSent: (bytes: number) => void },
): Promise<void> {
  const { bundle, workspaceId, signal, onSent } = options;
  async function* counted(): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for await (const chunk of createReadStream(bundle.file, { highWaterMark: 256 * 1024 })) {
      yield chunk as Uint8Array;
      sent += (chunk as Uint8Array).length;
      onSent(sent);
    }
  }
  // Node's own conversion keeps back-pressure, so that `onSent` tells what the server has taken.
  const body = Readable.toWeb(Readable.from(counted(), { objectMode: false })) as unknown as ReadableStream<Uint8Array>;
  await client.putSource(workspaceId, body, { signal });
}
