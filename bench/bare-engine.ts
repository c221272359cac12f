/** The engine's own REST API with nothing of ours between: what the product is compared with. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const socketPath = process.env['NEXUS_LXD_SOCKET'] ?? '/var/lib/lxd/unix.socket';

type Answer = {
  readonly type: string;
  readonly operation?: string;
  readonly metadata: unknown;
  readonly error?: string;
};

export async function engine(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await call(method, withProject(path), body);
  if (answer.type !== 'async') return answer.metadata;
  const done = await call('GET', withProject(`${answer.operation ?? ''}/wait`));
  const { err } = done.metadata as { err?: string };
  if (err) throw new Error(`${method} ${path}: ${err}`);
  return done.metadata;
}

function withProject(path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}project=nexus`;
}

function call(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = JSON.parse(Buffer.concat(chunks).toString()) as Answer;
          if (answer.type === 'error') reject(new Error(`${method} ${path}: ${answer.error}`));
          else resolve(answer);
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Resolves when an SSH server sends its banner; tries again every few milliseconds until then. */
export async function untilBanner(host: string, port: number, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await banner(host, port))) {
    if (performance.now() > deadline) throw new Error(`no SSH banner from ${host}:${port}`);
    await delay(5);
  }
}

function banner(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true });
    socket.setTimeout(10_000, () => socket.destroy());
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('SSH-'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
