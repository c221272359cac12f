/** The person's SSH key: found or made, registered with the server, put on GitHub, remembered. */
import { hostname } from 'node:os';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { UserView } from '../../contract/user.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import { CliError, failure, interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig, setUserConfigValue } from '../files/user-config-file.ts';
import { createGithubApi } from '../github/github-api.ts';
import { githubOf } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import { uploadKey } from '../github/upload-key.ts';
import { describeFailure } from '../report-error.ts';
import { askYesNo } from '../terminal/ask.ts';
import { shellQuote } from '../terminal/format.ts';
import { chooseSshKey } from './choose-ssh-key.ts';
import type { KeyWish } from './choose-ssh-key.ts';
import { makeAnother } from './load-ssh-key.ts';
import type { SshKey } from './ssh-keys.ts';

export type KeyOptions = KeyWish & {
  /** Another key that is registered is replaced without asking. */
  readonly yes: boolean;
};

export async function setUpSshKey(
  context: CliContext,
  client: Client,
  options: KeyOptions,
): Promise<{ key: SshKey; view: UserView }> {
  const user = await client.call('whoAmI');
  const key = await chooseSshKey(context, options);
  const view = await registerKey(context, client, { ...options, user, key });
  await setUserConfigValue(nexusPaths(context.env).configFile, ['ssh', 'key_path'], key.path);
  await putOnGithub(context, client, key);
  return { key, view };
}

/** Where the server works with GitHub and the person does not keep it from it. A failure leaves all else as it is. */
async function putOnGithub(context: CliContext, client: Client, key: SshKey): Promise<void> {
  const { configFile } = nexusPaths(context.env);
  const config = await readUserConfig(configFile, { stderr: context.stderr, nowMs: Date.now() });
  const signIn = await client.call('getSignIn');
  if (signIn.mode !== 'github' || config.ssh?.auto_upload_to_github === false) return;
  const host = githubOf(signIn);
  const token = await findGithubToken(context, host);
  if (token === null) return;
  try {
    const api = createGithubApi(host, token, { signal: context.interrupt });
    const title = `nexus on ${hostname()}`;
    const isNew = await uploadKey(api, { publicKey: key.publicKey, title, host, from: token.from });
    context.stderr.write(`${publicPathOf(key)} is on ${host.name}${isNew ? ' now' : ''}\n`);
  } catch (error) {
    const { why, next } = describeFailure(error, '');
    context.stderr.write(`! The key is not on ${host.name}: ${why}${next === null ? '' : `\n  → ${next}`}\n`);
  }
}

function publicPathOf({ path }: SshKey): string {
  return path.endsWith('.pub') ? path : `${path}.pub`;
}

type Registration = KeyOptions & { user: { github_username: string; github_id: number }; key: SshKey };

/** That the key is registered already is success; another key is replaced when that is wanted. */
async function registerKey(
  context: CliContext,
  client: Client,
  { user, key, yes, keyPath }: Registration,
): Promise<UserView> {
  const { github_username, github_id } = user;
  const parsed = parseSshPublicKey(key.publicKey);
  if ('problem' in parsed) throw failure(`${publicPathOf(key)} ${parsed.problem}.`, { next: makeAnother });
  const pubkey = { ssh_pubkey: parsed.line, ssh_pubkey_fingerprint: parsed.fingerprint };
  try {
    return await client.call('registerUser', { body: { github_username, github_id, ...pubkey } });
  } catch (error) {
    if (!(error instanceof NexusError && error.code === 'user_already_registered')) throw error;
    const { same_key } = error.details as { same_key: boolean };
    if (same_key) return client.call('getUser', { params: { username: github_username } });
    const replace =
      yes || (await askYesNo(context, `${error.message} Replace it with ${key.path}?`, { initial: 'no' }));
    if (replace === undefined) throw anotherKey(error, keyPath);
    if (!replace) throw interrupted('The registered key stays as it is.');
    return client.call('updateSshKey', { params: { username: github_username }, body: pubkey });
  }
}

/** Nobody can be asked: the same command, with the answer. */
function anotherKey(cause: NexusError, keyPath: string | undefined): CliError {
  const path = keyPath === undefined ? '' : ` --key-path ${shellQuote(keyPath)}`;
  return new CliError(cause.message, { exitCode: exitCodes.conflict, next: `nexus ssh setup --yes${path}`, cause });
}
