/**
 * Signing in without gh where GitHub's device flow is not allowed: in the browser, through the server's OAuth app. The
 * browser brings a one-time code to this machine, which is good for nobody without the proof that stays here (RFC 7636).
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '../../contract/api-client.ts';
import { signInPaths } from '../../contract/sign-in.ts';
import { CliError, interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { GithubHost } from './github-host.ts';
import { openBrowser } from './person-programs.ts';

const backWithinMs = 10 * 60_000;
const random = (): string => randomBytes(32).toString('base64url');

/** @throws CliError when it is denied, nobody comes back in 10 minutes, or Ctrl-C is pressed */
export async function signInInBrowser(
  context: CliContext,
  { host, server }: { host: GithubHost; server: Client },
): Promise<string> {
  const proof = { verifier: random(), state: random() };
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const { port } = listener.address() as AddressInfo;
    const url = startUrl(server.baseUrl, { ...proof, redirectUri: `http://127.0.0.1:${port}/` });
    // A browser that is signed in at GitHub is back at once.
    const coming = codeFrom(context, { listener, state: proof.state, host });
    coming.catch(() => undefined);
    const isOpened = await openBrowser(context, url);
    const how = isOpened ? 'go on in your browser, or open' : 'open in a browser of this machine';
    context.stderr.write(`To sign in to ${host.name}, ${how}\n${url}\n`);
    const code = await coming;
    const { access_token } = await server.call('exchangeSignInCode', { body: { code, code_verifier: proof.verifier } });
    return access_token;
  } finally {
    listener.close();
    listener.closeAllConnections();
  }
}

function startUrl(
  baseUrl: string,
  { verifier, state, redirectUri }: { verifier: string; state: string; redirectUri: string },
): string {
  const query = new URLSearchParams({
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    redirect_uri: redirectUri,
  });
  return `${baseUrl}${signInPaths.start}?${query.toString()}`;
}

/** What the browser comes back with; whoever comes with another state is sent away. */
async function codeFrom(
  { interrupt }: CliContext,
  { listener, state, host }: { listener: Server; state: string; host: GithubHost },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const again = { exitCode: exitCodes.notSignedIn, next: 'nexus auth github' };
  listener.on('request', (request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const isOurs = searchParams.get('state') === state;
    const code = searchParams.get('code');
    const text = isOurs ? 'Go on in your terminal; this page can be closed.' : 'This is no sign-in of nexus.';
    response.writeHead(isOurs ? 200 : 400, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
    if (isOurs && code !== null) resolve(code);
    else if (isOurs) reject(new CliError(refusal(searchParams), again));
  });
  const tooLate = setTimeout(() => reject(new CliError('Nobody came back from the browser.', again)), backWithinMs);
  const onInterrupt = (): void =>
    reject(interrupted(`You are not signed in to ${host.name}.`, { next: 'nexus auth github' }));
  interrupt.addEventListener('abort', onInterrupt, { once: true });
  if (interrupt.aborted) onInterrupt();
  try {
    return await promise;
  } finally {
    clearTimeout(tooLate);
    interrupt.removeEventListener('abort', onInterrupt);
  }
}

function refusal(answer: URLSearchParams): string {
  const error = answer.get('error') ?? 'unknown';
  if (error === 'access_denied') return 'It was denied in the browser.';
  return `The server could not sign you in (${error}); its log says why.`;
}
