/** WebSockets opened rightly and wrongly, and what is no frame sent over those that open. */
import * as fc from 'fast-check';
import type { ApiDocument } from './api-document.ts';
import { sendable, type Known } from './exchanges.ts';
import { secretMark } from './hostile-values.ts';
import type { Judge } from './judge-answer.ts';
import { socketDrafts, type Draft } from './request-drafts.ts';
import { vocabulary } from './vocabulary.ts';
import { Connection } from './wire.ts';

type Header = readonly [name: string, value: string];

const wanted: readonly Header[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

const handshake: fc.Arbitrary<readonly Header[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(wanted) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<readonly Header[]>(
      wanted.slice(0, 3),
      [...wanted.slice(0, 2), ['Sec-WebSocket-Version', '8'], ['Sec-WebSocket-Key', 'x']],
      [...wanted, ['Sec-WebSocket-Protocol', 'a, a, ,']],
      [...wanted, ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits=99']],
      [...wanted, ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']],
    ),
  },
);

/** RFC 6455, section 5.2: right frames, and those that it forbids. */
const frames: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => frame(0x82, Buffer.from(bytes))),
  fc.string({ maxLength: 60 }).map((text) => frame(0x81, Buffer.from(text))),
  fc.constantFrom(
    frame(0x81, Buffer.from(`${secretMark}-in-frame`)),
    frame(0x81, Buffer.from([0xff, 0xfe])),
    frame(0x89, Buffer.alloc(125)),
    frame(0x89, Buffer.alloc(126)),
    frame(0x88, Buffer.from([0x03])),
    frame(0x88, Buffer.from([0x00, 0x01])),
    frame(0x80, Buffer.from('no beginning')),
    frame(0x02, Buffer.from('no end')),
    frame(0xf2, Buffer.from('reserved bits')),
    frame(0x83, Buffer.from('reserved opcode')),
    Buffer.from([0x82, 0x01, 0x00]),
    Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    frame(0x82, Buffer.alloc(2 ** 20 + 1)),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);

/** Masked with zeros, as a client's must be masked. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([first, 0x80 | length])
      : length < 2 ** 16
        ? Buffer.from([first, 0xfe, length >> 8, length & 0xff])
        : Buffer.from([
            first,
            0xff,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

type Round = { readonly draft: Draft; readonly headers: readonly Header[]; readonly frames: readonly Buffer[] };

const answerWithinMs = 20_000;

/** Returns what was wrong. */
export async function runSocketRounds(
  { operations }: ApiDocument,
  judge: Judge,
  options: { readonly seed: number; readonly rounds: number; readonly port: number; readonly known: Known },
): Promise<string[]> {
  const round: fc.Arbitrary<Round> = fc.record({
    draft: socketDrafts(operations, vocabulary),
    headers: handshake,
    frames: fc.array(frames, { maxLength: 4 }),
  });
  const problems: string[] = [];
  for (const { draft, headers, frames } of fc.sample(round, { seed: options.seed, numRuns: options.rounds })) {
    const asked = {
      ...draft,
      headers: [...draft.headers.filter(([name]) => name !== 'Connection'), ...headers],
      body: null,
      delivery: 'whole' as const,
    };
    const sent = sendable(asked, options.known);
    const connection = await Connection.open(options.port);
    const { answers, ending } = await connection.exchange({ ...sent, keepsSocket: true }, answerWithinMs);
    const [answer] = answers;
    const problem = answer ? judge(answer, { operation: draft.operation, method: draft.method }) : ending;
    if (problem !== null && !(sent.mayClose && ending === 'closed'))
      problems.push(`${problem}: ${sent.pieces.join('').slice(0, 300)}`);
    if (answer?.status === 101 && (await connection.converse(frames, answerWithinMs)) === 'late')
      problems.push(
        `a WebSocket stays open after it was ended: ${frames.map((one) => one.toString('hex', 0, 40)).join(' ')}`,
      );
    connection.destroy();
  }
  return problems;
}
