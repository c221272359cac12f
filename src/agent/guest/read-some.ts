import type { Readable } from 'node:stream';

/** The stream to its end, and as much of its text as is wanted: inside a workspace its owner decides how much there is. */
export async function readSome(source: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let left = maxBytes;
  for await (const chunk of source) {
    const part = (chunk as Buffer).subarray(0, left);
    if (part.length > 0) chunks.push(part);
    left -= part.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}
