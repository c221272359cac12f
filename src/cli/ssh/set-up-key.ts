/** The person's SSH key: found or made, registered with the server, put on GitHub, remembered. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { UserView } from '../../contract/user.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import { osUserName } from '../../lib/os-user.ts';
import { failure, interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { expandHome, nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig, setUserConfigValue } from '../files/user-config-file.ts';
import { createGithubApi } from '../github/github-api.ts';
import { githubOf } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import { uploadKey } from '../github/upload-key.ts';
import { describeFailure } from '../report-error.ts';
import { askYesNo } from '../terminal/ask.ts';
import { findSshKey, generateSshKey, readSshKey } from './ssh-keys.ts';
import type { SshKey } from './ssh-keys.ts';

export type KeyOptions = {
  /** A key other than the usual ones. */
  readonly keyPath: string | undefined;
  readonly generate: boolean;
  /** Another key that is registered is replaced without asking. */
  readonly yes: boolean;
};

export async function setUpSshKey(
  context: CliContext,
  client: Client,
  options: KeyOptions,
): Promise<{ key: SshKey; view: UserView }> {
  const user = await client.call('whoAmI');
  const key = await findOrMakeKey(options, context);
  const view = await registerKey(context, client, { user, key, yes: options.yes });
  await setUserConfigValue(nexusPaths(context.env).configFile, ['ssh', 'key_path'], key.path);
  await putOnGithub(context, client, key);
  return { key, view };
}

async function findOrMakeKey({ keyPath, generate }: KeyOptions, context: CliContext): Promise<SshKey> {
  const { env, stderr } = context;
  const paths = nexusPaths(env);
  const path = keyPath === undefined ? undefined : expandHome(keyPath, env);
  if (path !== undefined && !generate) return readSshKey(path);
  if (!generate) {
    const config = await readUserConfig(paths.configFile, { stderr, nowMs: Date.now() });
    const found = await findSshKey({ env, remembered: config.ssh?.key_path });
    if (found !== null) return found;
  }
  const made = await generateSshKey(path ?? join(paths.userSshFolder, 'id_ed25519'), `${osUserName()}@${hostname()}`);
  stderr.write(`made a new key: ${made.path}\n`);
  return made;
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
    context.stderr.write(isNew ? `${key.path}.pub is on ${host.name} now\n` : `${key.path}.pub is on ${host.name}\n`);
  } catch (error) {
    const { why, next } = describeFailure(error, '');
    context.stderr.write(`! The key is not on ${host.name}: ${why}${next === null ? '' : `\n  → ${next}`}\n`);
  }
}

type Registration = { user: { github_username: string; github_id: number }; key: SshKey; yes: boolean };

/** That the key is registered already is success; another key is replaced when that is wanted. */
async function registerKey(context: CliContext, client: Client, { user, key, yes }: Registration): Promise<UserView> {
  const { github_username, github_id } = user;
  const parsed = parseSshPublicKey(key.publicKey);
  if ('problem' in parsed)
    throw failure(`${key.path}.pub ${parsed.problem}.`, { next: 'nexus ssh setup --generate --key-path ~/.ssh/nexus' });
  const pubkey = { ssh_pubkey: parsed.line, ssh_pubkey_fingerprint: parsed.fingerprint };
  try {
    return await client.call('registerUser', { body: { github_username, github_id, ...pubkey } });
  } catch (error) {
    if (!(error instanceof NexusError && error.code === 'user_already_registered')) throw error;
    const { same_key } = error.details as { same_key: boolean };
    if (same_key) return client.call('getUser', { params: { username: github_username } });
    const replace =
      yes || (await askYesNo(context, `${error.message} Replace it with ${key.path}?`, { initial: 'no' }));
    if (replace === undefined) throw error;
    if (!replace) throw interrupted('The registered key stays as it is.');
    return client.call('updateSshKey', { params: { username: github_username }, body: pubkey });
  }
}
