/** A WebSocket by hand (RFC 6455), so that what is sent may be as broken as one likes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export type Frame = {
  readonly opcode: number;
  readonly payload: Buffer;
  /** The last of its message; true when absent. */
  readonly fin?: boolean;
  /** The three reserved bits: the highest says that the message is compressed. */
  readonly reserved?: number;
  /** Clients mask; true when absent. */
  readonly masked?: boolean;
  /** What the header says in the place of the payload's length. */
  readonly declaredLength?: number;
};

const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

export function frameBytes(frame: Frame): Buffer {
  const { opcode, payload, fin = true, reserved = 0, masked = true, declaredLength = payload.length } = frame;
  const first = (fin ? 0x80 : 0) | ((reserved & 7) << 4) | (opcode & 15);
  const head = Buffer.from([
    first,
    (masked ? 0x80 : 0) | lengthCode(declaredLength),
    ...extendedLength(declaredLength),
  ]);
  if (!masked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

export function textFrame(message: unknown): Buffer {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return frameBytes({ opcode: opcodes.text, payload: Buffer.from(text) });
}

function lengthCode(length: number): number {
  if (length < 126) return length;
  return length < 65_536 ? 126 : 127;
}

function extendedLength(length: number): Buffer {
  if (length < 126) return Buffer.alloc(0);
  const bytes = Buffer.alloc(length < 65_536 ? 2 : 8);
  if (bytes.length === 2) bytes.writeUInt16BE(length);
  else bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** A connection that was upgraded; nobody reads from it yet. Rejects when it was not. */
export async function dialWebSocket(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let head = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    head += (chunk as Buffer).toString('latin1');
    if (head.includes('\r\n\r\n')) break;
  }
  const end = head.indexOf('\r\n\r\n');
  if (!head.startsWith('HTTP/1.1 101')) {
    socket.destroy();
    throw new Error(`not upgraded: ${head.slice(0, 200)}`);
  }
  socket.pause();
  const surplus = Buffer.from(head.slice(end + 4), 'latin1');
  if (surplus.length > 0) socket.unshift(surplus);
  return socket;
}

/** The text messages that a server sends. Ends with the connection; whoever leaves before leaves the rest in the socket. */
export async function* textMessages(socket: Socket): AsyncGenerator<string, void, undefined> {
  let bytes = Buffer.alloc(0);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      for (;;) {
        const frame = wholeFrame(bytes);
        if (!frame) break;
        bytes = bytes.subarray(frame.end);
        if (frame.opcode === opcodes.text) yield frame.payload.toString();
      }
    }
  } finally {
    if (bytes.length > 0 && !socket.readableEnded) socket.unshift(bytes);
  }
}

function wholeFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | null {
  if (bytes.length < 2) return null;
  const code = bytes.readUInt8(1) & 0x7f;
  const start = { 126: 4, 127: 10 }[code] ?? 2;
  if (bytes.length < start) return null;
  const length = code < 126 ? code : code === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return null;
  return { opcode: bytes.readUInt8(0) & 15, payload: bytes.subarray(start, end), end };
}
