import type { SignInView } from '../../contract/sign-in.ts';
import type { AppDeps } from './app-deps.ts';
import type { Handlers } from './handler.ts';

export function signInHandlers({ config }: Pick<AppDeps, 'config'>): Pick<Handlers, 'getSignIn'> {
  const { mode } = config.auth;
  const { web_url, api_url, client_id = null } = config.github;
  const view: SignInView = { mode, github: mode === 'github' ? { web_url, api_url, client_id } : null };
  return { getSignIn: () => Promise.resolve(view) };
}
