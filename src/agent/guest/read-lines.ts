import type { Readable } from 'node:stream';

/** The lines of a stream of UTF-8, without their newlines; the last may have none. */
export async function* readLines(source: Readable): AsyncGenerator<string, void, undefined> {
  let rest = '';
  for await (const chunk of source.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest) yield rest;
}
