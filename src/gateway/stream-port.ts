/** The port where agents park connections and the server opens streams over them (stream-protocol.ts). */
import net from 'node:net';
import tls from 'node:tls';
import { withDeadline } from '../contract/deadline.ts';
import { NexusError, toNexusError } from '../contract/errors.ts';
import { readMessage, writeLine } from '../contract/json-line.ts';
import { prepareSocket, turnAway } from '../contract/stream-client.ts';
import { newStreamKey, newStreamNonce, sameMac, streamMac, type StreamProof } from '../contract/stream-mac.ts';
import { streamProof } from '../contract/stream-protocol.ts';
import type { Logger } from '../lib/log.ts';
import { limitLog } from '../lib/log-limit.ts';
import { listen, type Sharing } from './listen.ts';
import type { ParkingLot } from './parking-lot.ts';
import type { Splice } from './splice.ts';
import { createStrangers } from './strangers.ts';
import type { StreamCertificate } from './stream-certificate.ts';

export type StreamPortOptions = {
  readonly host: string;
  readonly port: number;
  readonly sharing: Sharing;
  /** With one, streams are encrypted. */
  readonly certificate: StreamCertificate | null;
  /** The key of a node, or of `server`; undefined: it may not come in. */
  keyOf(name: string): string | undefined;
  readonly parkingLot: ParkingLot;
  readonly splice: Splice;
  readonly log: Logger;
  /** How long a peer may take to prove who it is; for tests. */
  readonly handshakeMs?: number;
};

export type StreamPort = {
  readonly port: number;
  /** For those who bring or open streams. */
  readonly address: { readonly host: string; readonly port: number; readonly certificate_sha256?: string };
  /** Streams that were opened here and are under way. */
  readonly streams: number;
  /** Takes nobody in any more. Resolves when the streams under way have ended. */
  drain(): Promise<void>;
};

const maxStrangers = 256;
/** A proof is shorter than this by far. */
const maxProofBytes = 4 * 1024;

/** @throws port_already_in_use when it cannot listen */
export async function openStreamPort(options: StreamPortOptions): Promise<StreamPort> {
  const { host, sharing, handshakeMs = 10_000 } = options;
  const log = limitLog(options.log);
  const strangers = createStrangers(maxStrangers);
  let streams = 0;
  const server = createListener(options.certificate, handshakeMs);

  async function serve(socket: net.Socket): Promise<void> {
    prepareSocket(socket);
    strangers.enter(socket);
    try {
      const wish = await withDeadline({ timeoutMs: handshakeMs }, 'The stream handshake', (signal) =>
        readWish(socket, options, signal),
      );
      strangers.leave(socket);
      if (wish.open === undefined) return park(wish, socket, options);
      streams += 1;
      await open({ ...wish, node: wish.open }, socket, options).finally(() => (streams -= 1));
    } catch (error) {
      log.info({ err: error, from: socket.remoteAddress }, 'a stream connection was turned away');
      turnAway(socket, toNexusError(error));
    }
  }

  if (server instanceof tls.Server) {
    server.on('connection', (socket) => strangers.enter(socket));
    server.on('secureConnection', (socket) => void serve(socket));
    server.on('tlsClientError', (error, socket) => {
      log.info({ err: error, from: socket.remoteAddress }, 'a stream connection was turned away');
      socket.destroy();
    });
  } else server.on('connection', (socket) => void serve(socket));
  const port = await listen(server, options, sharing).catch((error: unknown) => {
    throw new NexusError('port_already_in_use', { port: options.port }, { cause: error });
  });
  server.on('error', (error) => log.error({ err: error, port }, 'the stream port failed'));
  log.info({ host, port, encrypted: options.certificate !== null }, 'streams are taken');

  const { certificate } = options;
  return {
    port,
    address: { host, port, ...(certificate ? { certificate_sha256: certificate.sha256 } : {}) },
    get streams() {
      return streams;
    },
    async drain() {
      const closed = new Promise((resolve) => server.close(resolve));
      strangers.sendAway();
      options.parkingLot.keepOnly(() => false);
      await closed;
    },
  };
}

function createListener(certificate: StreamCertificate | null, handshakeTimeout: number): net.Server {
  const common = { allowHalfOpen: true, noDelay: true };
  if (!certificate) return net.createServer(common);
  const { certificate: cert, privateKey: key } = certificate;
  return tls.createServer({ ...common, cert, key, minVersion: 'TLSv1.3', handshakeTimeout });
}

/** What a peer that has proved who it is asks for, and our proof for it. */
type Wish = { readonly as: string; readonly open: string | undefined; readonly mac: string };

/** @throws unauthorized, forbidden, stream_failed, timeout */
async function readWish(socket: net.Socket, options: StreamPortOptions, signal: AbortSignal): Promise<Wish> {
  const gatewayNonce = newStreamNonce();
  writeLine(socket, { nonce: gatewayNonce });
  const proof: StreamProof = await readMessage(socket, streamProof, { signal, maxBytes: maxProofBytes });
  const exchange = { intent: proof, gatewayNonce, peerNonce: proof.nonce };
  const key = options.keyOf(proof.as);
  // Without a key the check is made with one that nobody has: it takes as long, and fails.
  const isProved = sameMac(proof.mac, streamMac(key ?? newStreamKey(), 'peer', exchange));
  if (!isProved || key === undefined) throw new NexusError('unauthorized', { reason: 'the stream key is not right' });
  if (!mayAsk(proof)) throw new NexusError('forbidden', { reason: `${proof.as} may not open or park this stream` });
  return { as: proof.as, open: proof.open, mac: streamMac(key, 'gateway', exchange) };
}

/** A node parks for itself; only the server opens. */
function mayAsk({ as, park, open }: StreamProof): boolean {
  return as === 'server' ? open !== undefined && park === undefined : park === as && open === undefined;
}

function park(wish: Wish, socket: net.Socket, { parkingLot }: StreamPortOptions): void {
  writeLine(socket, { mac: wish.mac });
  parkingLot.park(wish.as, socket);
}

async function open(
  wish: Wish & { readonly node: string },
  opener: net.Socket,
  options: StreamPortOptions,
): Promise<void> {
  const parked = await options.parkingLot.take(wish.node);
  if (parked === null) throw new NexusError('node_unreachable', { node: wish.node });
  writeLine(opener, { mac: wish.mac });
  await options.splice(opener, parked);
}
