/** The device flow: GitHub's documentation, "Authorizing OAuth apps", and RFC 8628. */
import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { issueToken, oauthAnswer, oauthError } from './oauth-state.ts';
import type { DeviceCode, OauthState } from './oauth-state.ts';
import type { World } from './world.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const lifeSeconds = 899;
const slowDownSeconds = 5;

type Call = {
  readonly world: World;
  readonly oauth: OauthState;
  readonly form: URLSearchParams;
  readonly accept: string | undefined;
  readonly webUrl: string;
  readonly now: Date;
};

/** `POST /login/device/code` */
export function startDeviceFlow({ oauth, form, accept, webUrl }: Call): Answer {
  const clientId = form.get('client_id') ?? '';
  if (clientId === '') return { status: 404, body: { error: 'Not Found' } };
  if (oauth.apps.get(clientId)?.deviceFlow === false)
    return oauthError('device_flow_disabled', 'Device Flow must be explicitly enabled for this App', accept);
  const code: DeviceCode = {
    deviceCode: randomBytes(20).toString('hex'),
    userCode: userCode(),
    clientId,
    scopes: (form.get('scope') ?? '').split(/[ ,]+/).filter(Boolean),
    intervalSeconds: oauth.deviceIntervalSeconds,
    lastPollAt: null,
    state: oauth.browser?.approvesDevices ? { approvedBy: oauth.browser.login } : 'pending',
  };
  oauth.deviceCodes.push(code);
  for (const tell of oauth.onDeviceCode) tell(code);
  return oauthAnswer(
    {
      device_code: code.deviceCode,
      user_code: code.userCode,
      verification_uri: `${webUrl}/login/device`,
      expires_in: lifeSeconds,
      interval: code.intervalSeconds,
    },
    accept,
  );
}

/** `POST /login/oauth/access_token` with the grant of devices. */
export function pollDeviceFlow({ world, oauth, form, accept, now }: Call): Answer {
  const code = oauth.deviceCodes.find(({ deviceCode }) => deviceCode === form.get('device_code'));
  if (code === undefined || code.clientId !== form.get('client_id'))
    return oauthError('incorrect_device_code', 'The device_code provided is not valid.', accept);
  const sinceLastMs = code.lastPollAt === null ? Infinity : now.getTime() - code.lastPollAt;
  code.lastPollAt = now.getTime();
  if (oauth.slowDowns > 0 || sinceLastMs < code.intervalSeconds * 1000) {
    oauth.slowDowns = Math.max(0, oauth.slowDowns - 1);
    // A test that has no interval does not want one.
    if (oauth.deviceIntervalSeconds > 0) code.intervalSeconds += slowDownSeconds;
    return oauthError('slow_down', 'Too many requests have been made in the same timeframe.', accept, {
      interval: code.intervalSeconds,
    });
  }
  if (code.state === 'expired') return oauthError('expired_token', 'The device_code has expired.', accept);
  if (code.state === 'denied') return oauthError('access_denied', 'The authorization request was denied.', accept);
  if (code.state === 'pending')
    return oauthError('authorization_pending', 'The authorization request is still pending.', accept);
  const { value } = issueToken(world, code.state.approvedBy, { scopes: code.scopes });
  code.state = 'expired';
  return oauthAnswer({ access_token: value, token_type: 'bearer', scope: code.scopes.join(',') }, accept);
}

/** `ABCD-1234`, as GitHub shows it. */
function userCode(): string {
  const hex = randomBytes(4).toString('hex').toUpperCase();
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}
