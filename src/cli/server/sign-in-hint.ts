/** What a person does when a server does not know them: it depends on the server's mode, and on what token they sent. */
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { CliContext } from '../context.ts';

type Context = Pick<CliContext, 'env'>;

/** A client whose `unauthorized` has the next step for this server. It is asked for its mode only then. */
export function withSignInHint(context: Context, client: Client): Client {
  const call = async (...request: never[]): Promise<unknown> => {
    try {
      return await (client.call as (...parameters: never[]) => Promise<unknown>)(...request);
    } catch (error) {
      if (!(error instanceof NexusError) || error.code !== 'unauthorized') throw error;
      const { message, requestId, details } = error as NexusError<'unauthorized'>;
      const received = { message, requestId, hint: await signInHint(context, client) };
      throw new NexusError('unauthorized', details, { cause: error, received });
    }
  };
  return { ...client, call: call as Client['call'] };
}

async function signInHint(context: Context, client: Client): Promise<string> {
  const signIn = await client.call('getSignIn').catch(() => null);
  switch (signIn?.mode) {
    case 'github': {
      if (context.env['NEXUS_TOKEN']) return 'unset NEXUS_TOKEN';
      const { githubOf } = await import('../github/github-host.ts');
      const { findGithubToken } = await import('../github/github-token.ts');
      const from = (await findGithubToken(context, githubOf(signIn)))?.from ?? null;
      if (from === null) return 'nexus auth github';
      return from === 'gh' || from === 'credentials' ? 'nexus auth github --force' : `unset ${from}`;
    }
    case 'oidc':
      return `export NEXUS_TOKEN=… (a token of ${signIn.oidc?.issuer} for ${signIn.oidc?.audience})`;
    default:
      return 'export NEXUS_TOKEN="$(sudo cat /var/lib/nexus/local-token)"';
  }
}
