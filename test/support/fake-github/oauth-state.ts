/** OAuth applications, and what is under way between them and the people who sign in. */
import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import type { Token, World } from './world.ts';

export type OauthApp = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrl: string;
  /** As those of a GitHub App, with a refresh token; absent: its tokens do not end. */
  readonly tokensEndAfterSeconds?: number;
  /** False: its owner did not enable the device flow. */
  readonly deviceFlow?: boolean;
};

export type DeviceCode = {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly clientId: string;
  readonly scopes: string[];
  intervalSeconds: number;
  lastPollAt: number | null;
  /** Who approved it, once somebody did. */
  state: 'pending' | 'denied' | 'expired' | { readonly approvedBy: string };
};

export type WebCode = {
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: string[];
  readonly challenge: string | null;
  readonly login: string;
};

export type OauthState = {
  /** Whose they are, and what they allow; each is good once. */
  readonly refreshTokens: Map<string, { readonly clientId: string; readonly token: Token }>;
  readonly apps: Map<string, OauthApp>;
  readonly deviceCodes: DeviceCode[];
  readonly webCodes: WebCode[];
  /** Of new device codes. GitHub says 5; 0 makes a test quick, and then nobody is told to slow down by the clock. */
  deviceIntervalSeconds: number;
  /** How many more polls are told to slow down, whatever the time. */
  slowDowns: number;
  /** Whoever sits at the browser: approves the web flow, and every device code when `approvesDevices`. */
  browser: { login: string; approvesDevices: boolean; deniesWeb: boolean } | null;
  /** Told of every new device code. */
  readonly onDeviceCode: Set<(code: DeviceCode) => void>;
};

export function createOauthState(): OauthState {
  return {
    refreshTokens: new Map(),
    apps: new Map(),
    deviceCodes: [],
    webCodes: [],
    deviceIntervalSeconds: 0,
    slowDowns: 0,
    browser: null,
    onDeviceCode: new Set(),
  };
}

export function issueToken(
  world: World,
  login: string,
  { scopes, prefix = 'gho' }: { scopes: string[] | null; prefix?: string },
): Token {
  const token: Token = {
    value: `${prefix}_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`,
    login,
    scopes,
    revoked: false,
  };
  world.tokens.set(token.value, token);
  return token;
}

/** GitHub answers JSON when it is asked for, else a form. Errors of OAuth have status 200. */
export function oauthAnswer(fields: Readonly<Record<string, string | number>>, accept: string | undefined): Answer {
  if (accept?.includes('json')) return { status: 200, body: fields };
  const form = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  return { status: 200, headers, body: form.toString() };
}

export function oauthError(
  error: string,
  description: string,
  accept: string | undefined,
  more: Record<string, number> = {},
): Answer {
  const error_uri = 'https://docs.github.com/developers/apps/authorizing-oauth-apps';
  return oauthAnswer({ error, error_description: description, error_uri, ...more }, accept);
}
