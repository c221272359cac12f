/** Signing in without gh: GitHub's device flow. A code is shown, the person types it in their browser. */
import { spawn } from 'node:child_process';
import { NexusError } from '../../contract/errors.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { paint } from '../terminal/paint.ts';
import { neededScopes } from '../../contract/sign-in.ts';
import type { GithubHost } from './github-host.ts';

/** @throws CliError when it is denied or the code runs out; github_unreachable */
export async function signInWithDevice(
  context: CliContext,
  host: GithubHost & { readonly clientId: string },
): Promise<string> {
  // Loaded when needed: it is the last of several ways to sign in.
  const [{ createOAuthDeviceAuth }, { request }] = await Promise.all([
    import('@octokit/auth-oauth-device'),
    import('@octokit/request'),
  ]);
  const authenticate = createOAuthDeviceAuth({
    clientType: 'oauth-app',
    clientId: host.clientId,
    scopes: [...neededScopes],
    request: request.defaults({ baseUrl: host.apiUrl, headers: { 'user-agent': 'nexus' } }),
    onVerification: ({ user_code, verification_uri }) => showCode(context, { code: user_code, url: verification_uri }),
  });
  try {
    return (await authenticate({ type: 'oauth' })).token;
  } catch (error) {
    throw explained(error, host);
  }
}

function showCode(context: CliContext, { code, url }: { code: string; url: string }): void {
  const color = paint(context.stderr);
  const isCopied = tryPrograms(context, clipboards(context), code);
  const isOpened = tryPrograms(context, browsers(context, url), null);
  context.stderr.write(
    [
      `Type this code${isCopied ? ' (it is in your clipboard)' : ''}: ${color.bold(code)}`,
      `${isOpened ? 'in your browser, at' : 'at'} ${url}`,
      '',
    ].join('\n'),
  );
}

/** `gh`'s and xdg's own words for the person's browser come first. */
function browsers({ env }: CliContext, url: string): readonly (readonly [string, ...string[]])[] {
  if (env['BROWSER']) return [[env['BROWSER'], url]];
  if (process.platform === 'darwin') return [['open', url]];
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? [['xdg-open', url]] : [];
}

function clipboards({ env }: CliContext): readonly (readonly [string, ...string[]])[] {
  if (process.platform === 'darwin') return [['pbcopy']];
  if (env['WAYLAND_DISPLAY']) return [['wl-copy']];
  return env['DISPLAY'] ? [['xclip', '-selection', 'clipboard']] : [];
}

/** @returns whether there was one to try; what becomes of it is seen by the person */
function tryPrograms(
  { env }: CliContext,
  programs: readonly (readonly [string, ...string[]])[],
  input: string | null,
): boolean {
  for (const [program, ...args] of programs) {
    const child = spawn(program, args, { env: { ...env }, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    child.unref();
    return true;
  }
  return false;
}

const denials: Readonly<Record<string, string>> = {
  access_denied: 'It was denied in the browser.',
  expired_token: 'The code was not typed in time.',
  device_flow_disabled: 'The OAuth app of the server does not allow the device flow.',
};

function explained(error: unknown, host: GithubHost): Error {
  const { response } = error as { response?: { data?: { error?: string } } };
  const denial = denials[response?.data?.error ?? ''];
  if (denial !== undefined)
    return new CliError(denial, { exitCode: exitCodes.notSignedIn, next: 'nexus auth github', cause: error });
  const reason = `${host.webUrl}: ${error instanceof Error ? error.message : String(error)}`;
  return new NexusError('github_unreachable', { reason }, { cause: error });
}
