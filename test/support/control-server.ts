/** A server's end of the control connection and nothing more: handshake, messages in, messages out. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  controlPath,
  peerToServer,
  type PeerToServer,
  type ServerToPeer,
} from '../../src/contract/control-protocol.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { checkProof, serverChallenge, type Challenge, type Hello, type Proof } from '../../src/contract/handshake.ts';
import type { Identity } from '../../src/lib/identity.ts';

export type ControlServer = {
  readonly url: string;
  readonly port: number;
  /** Every message of every welcomed peer so far. */
  readonly received: readonly PeerToServer[];
  readonly hellos: readonly Hello[];
  readonly proofs: readonly Proof[];
  /** Sends to all welcomed peers. */
  send(message: ServerToPeer): void;
  /** The next message of this type that fits and was not returned before. */
  next<T extends PeerToServer['type']>(
    type: T,
    fits?: (message: Extract<PeerToServer, { type: T }>) => boolean,
  ): Promise<Extract<PeerToServer, { type: T }>>;
  /** Cuts all connections, as a crash does. */
  cut(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export type ControlServerOptions = {
  readonly identity: Identity;
  readonly port?: number;
  /** `test` when absent. */
  readonly clusterId?: string;
  /** Why the peer may not come in; absent: everybody may. */
  refuse?(hello: Hello): NexusError | null;
  /** Whether pings are answered; a server that hangs does not. */
  readonly answersPings?: boolean;
  /** Changes what is sent, for broken servers. */
  tamper?(challenge: Challenge): unknown;
};

export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { identity, port = 0, clusterId = 'test', answersPings = true } = options;
  const received: PeerToServer[] = [];
  const hellos: Hello[] = [];
  const proofs: Proof[] = [];
  const welcomed = new Set<WebSocket>();
  const arrivals = new EventTarget();
  const taken = new Set<PeerToServer>();
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: controlPath, autoPong: answersPings });

  function onMessage(
    socket: WebSocket,
    session: { hello?: Hello; challenge?: Challenge },
    message: PeerToServer,
  ): void {
    const tell = (answer: unknown): void => socket.send(JSON.stringify(answer));
    if (message.type === 'hello') {
      hellos.push(message);
      const refusal = options.refuse?.(message) ?? null;
      if (refusal) return tell({ type: 'refused', error: refusal.toBody() });
      session.hello = message;
      session.challenge = serverChallenge(identity, message);
      tell(options.tamper?.(session.challenge) ?? session.challenge);
    } else if (message.type === 'proof') {
      proofs.push(message);
      const { hello, challenge } = session;
      if (!hello || !challenge || !checkProof(hello, challenge, message)) {
        return tell({ type: 'refused', error: new NexusError('unauthorized', { reason: 'wrong proof' }).toBody() });
      }
      welcomed.add(socket);
      tell({ type: 'welcome', cluster_id: clusterId, streams: null });
      arrivals.dispatchEvent(new Event('welcomed'));
    } else {
      received.push(message);
      arrivals.dispatchEvent(new Event('message'));
    }
  }

  sockets.on('connection', (socket) => {
    const session = {};
    socket.on('message', (data) =>
      onMessage(socket, session, peerToServer.parse(JSON.parse((data as Buffer).toString()))),
    );
    socket.on('close', () => welcomed.delete(socket));
    socket.on('error', () => undefined);
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const bound = (http.address() as AddressInfo).port;

  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    received,
    hellos,
    proofs,
    send(message) {
      for (const socket of welcomed) socket.send(JSON.stringify(message));
    },
    async next(type, fits = () => true) {
      for (;;) {
        const found = received.find(
          (message): message is Extract<PeerToServer, { type: typeof type }> =>
            message.type === type &&
            !taken.has(message) &&
            fits(message as Extract<PeerToServer, { type: typeof type }>),
        );
        if (found) {
          taken.add(found);
          return found;
        }
        await once(arrivals, 'message');
      }
    },
    cut() {
      for (const socket of sockets.clients) socket.terminate();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
