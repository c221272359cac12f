import type { Readable } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';

/** Longer than any of ours by far; inside a workspace its owner decides how long they are. */
const maxLineLength = 2 ** 20;

/**
 * The lines of a stream of UTF-8, without their newlines; the last may have none.
 * @throws stream_failed when a line has no end
 */
export async function* readLines(source: Readable): AsyncGenerator<string, void, undefined> {
  let rest = '';
  for await (const chunk of source.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineLength)
      throw new NexusError('stream_failed', { reason: 'a line of the workspace has no end' });
    yield* lines;
  }
  if (rest) yield rest;
}
