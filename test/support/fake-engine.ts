/** An engine's REST API on a unix socket, with scripted answers: for what a real engine seldom does. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngineClient, type EngineClient } from '../../src/agent/providers/lxc/engine-client.ts';

export type Answer =
  | { readonly value: unknown }
  | { readonly error: string; readonly status?: number }
  /** A background operation: how it ends. */
  | { readonly operation: Record<string, unknown> | null; readonly failure?: string }
  /** An operation that never ends. */
  | { readonly endless: true; readonly progress?: Record<string, unknown> }
  | { readonly raw: string; readonly headers?: Record<string, string> }
  /** The connection is cut. */
  | { readonly cut: true }
  /** The answer begins, and then the connection is cut, or nothing follows. */
  | { readonly half: 'cut' | 'silent' }
  | { readonly silent: true };

export type Asked = { readonly method: string; readonly path: string; readonly body: Buffer };

export class FakeEngine {
  readonly asked: Asked[] = [];
  readonly client: EngineClient;
  readonly #folder: string;
  readonly #server;
  readonly #operations = new Map<string, Answer>();
  readonly #answer: (asked: Asked) => Answer;

  private constructor(folder: string, answer: (asked: Asked) => Answer) {
    this.#folder = folder;
    this.#answer = answer;
    this.client = createEngineClient({ socketPath: join(folder, 'socket'), project: 'test' });
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @param answer by method and path; what it does not know is a 404 */
  static async start(answer: (asked: Asked) => Answer | undefined): Promise<FakeEngine> {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-engine-'));
    const engine = new FakeEngine(
      folder,
      (asked) => answer(asked) ?? { error: `${asked.path} not found`, status: 404 },
    );
    await new Promise<void>((resolve) => engine.#server.listen(join(folder, 'socket'), resolve));
    return engine;
  }

  /** `METHOD path` of all requests but those that wait. */
  get calls(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`).filter((call) => !call.endsWith('/wait'));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    const asked = { method: request.method ?? '', path: (request.url ?? '').split('?')[0] ?? '', body };
    this.asked.push(asked);
    const [, , , operationId = ''] = asked.path.split('/');
    const known = this.#operations.get(operationId);
    if (asked.path.startsWith('/1.0/operations/') && known) this.#serveOperation(asked, operationId, known, response);
    else this.#reply(this.#answer(asked), response);
  }

  #serveOperation({ method, path }: Asked, id: string, answer: Answer, response: ServerResponse): void {
    if (method === 'DELETE') this.#reply({ value: null }, response);
    else if ('endless' in answer) {
      const running = operation(id, { code: 103, metadata: answer.progress ?? null });
      if (path.endsWith('/wait')) setTimeout(() => this.#reply({ value: running }, response), 20);
      else this.#reply({ value: running }, response);
    } else if ('operation' in answer) {
      const code = answer.failure === undefined ? 200 : 400;
      this.#reply({ value: operation(id, { code, metadata: answer.operation, failure: answer.failure }) }, response);
    }
  }

  #reply(answer: Answer, response: ServerResponse): void {
    if ('silent' in answer) return;
    if ('cut' in answer) {
      response.destroy();
      return;
    }
    if ('half' in answer) {
      response.writeHead(200).write('{"type":"sync",', () => answer.half === 'cut' && response.destroy());
      return;
    }
    if ('raw' in answer) {
      response.writeHead(200, answer.headers ?? {}).end(answer.raw);
      return;
    }
    let reply: unknown;
    if ('error' in answer)
      reply = { type: 'error', error: answer.error, error_code: answer.status ?? 500, metadata: null };
    else if ('value' in answer) reply = { type: 'sync', metadata: answer.value };
    else {
      const id = randomUUID();
      this.#operations.set(id, answer);
      const metadata = 'operation' in answer ? answer.operation : null;
      reply = { type: 'async', metadata: operation(id, { code: 103, metadata }) };
    }
    response.writeHead('error' in answer ? (answer.status ?? 500) : 200).end(JSON.stringify(reply));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function operation(
  id: string,
  {
    code,
    metadata,
    failure = '',
  }: { code: number; metadata: Record<string, unknown> | null; failure?: string | undefined },
): Record<string, unknown> {
  return { id, class: 'task', status_code: code, err: failure, resources: null, metadata };
}
