import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const attemptTimeoutMs = 2000;
const pauseMs = 25;

/** Waits until an SSH server says its name at an address. False: not in time. */
export async function sshAnswers(
  address: string,
  { timeoutMs, port = 22 }: { timeoutMs: number; port?: number },
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await greets(address, port)) return true;
    await sleep(pauseMs);
  }
  return false;
}

function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, noDelay: true });
    const finish = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(attemptTimeoutMs, () => finish(false));
    socket.once('data', (bytes) => finish(bytes.toString('latin1').startsWith('SSH-')));
    socket.once('error', () => finish(false));
    socket.once('end', () => finish(false));
  });
}
