/** Signing in without gh: GitHub's device flow. A code is shown, the person types it in their browser. */
import { NexusError } from '../../contract/errors.ts';
import { CliError, interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { paint } from '../terminal/paint.ts';
import { neededScopes } from '../../contract/sign-in.ts';
import { createDevicePoll } from './device-poll.ts';
import type { GithubHost } from './github-host.ts';
import { copyText, openBrowser } from './person-programs.ts';

/** @throws CliError when it is denied, the code runs out or Ctrl-C is pressed; github_unreachable */
export async function signInWithDevice(
  context: CliContext,
  host: GithubHost & { readonly clientId: string },
): Promise<string> {
  // Loaded when needed: it is the last of several ways to sign in.
  const [{ createOAuthDeviceAuth }, { request }] = await Promise.all([
    import('@octokit/auth-oauth-device'),
    import('@octokit/request'),
  ]);
  const poll = createDevicePoll(context);
  const authenticate = createOAuthDeviceAuth({
    clientType: 'oauth-app',
    clientId: host.clientId,
    scopes: [...neededScopes],
    request: request.defaults({
      baseUrl: host.apiUrl,
      headers: { 'user-agent': 'nexus' },
      request: { hook: poll.ask },
    }),
    async onVerification(code) {
      poll.begin({ intervalSeconds: code.interval, lifeSeconds: code.expires_in });
      await showCode(context, host, code);
    },
  });
  try {
    return (await authenticate({ type: 'oauth' })).token;
  } catch (error) {
    if (context.interrupt.aborted)
      throw interrupted(`You are not signed in to ${host.name}.`, { next: 'nexus auth github' });
    throw explained(error, host);
  }
}

type Code = { readonly user_code: string; readonly verification_uri: string; readonly expires_in: number };

async function showCode(
  context: CliContext,
  { name }: GithubHost,
  { user_code, verification_uri, expires_in }: Code,
): Promise<void> {
  const color = paint(context.stderr);
  const [isCopied, isOpened] = await Promise.all([
    copyText(context, user_code),
    openBrowser(context, verification_uri),
  ]);
  context.stderr.write(
    [
      `To sign in to ${name}:`,
      `Type this code${isCopied ? ' (it is in your clipboard)' : ''}: ${color.bold(user_code)}`,
      `${isOpened ? 'in your browser, at' : 'at'} ${verification_uri}`,
      `The code is good for ${Math.ceil(expires_in / 60)} min; Ctrl-C ends the waiting.`,
      '',
    ].join('\n'),
  );
}

const denials: Readonly<Record<string, string>> = {
  access_denied: 'It was denied in the browser.',
  expired_token: 'The code was not typed in time.',
  device_flow_disabled: 'The OAuth app of the server does not allow the device flow.',
};

/** Whether it is the OAuth app that does not have it. */
export function isDeviceFlowDisabled(error: unknown): boolean {
  return error instanceof CliError && oauthError(error.cause) === 'device_flow_disabled';
}

function oauthError(error: unknown): string {
  const { response } = error as { response?: { data?: { error?: string } } };
  return response?.data?.error ?? '';
}

function explained(error: unknown, host: GithubHost): Error {
  const denial = denials[oauthError(error)];
  if (denial !== undefined)
    return new CliError(denial, { exitCode: exitCodes.notSignedIn, next: 'nexus auth github', cause: error });
  const reason = `${host.webUrl}: ${error instanceof Error ? error.message : String(error)}`;
  return new NexusError('github_unreachable', { reason }, { cause: error });
}
