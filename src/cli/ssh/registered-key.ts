import type { Client } from '../../contract/api-client.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import type { CliContext } from '../context.ts';
import { loadSshKey } from './load-ssh-key.ts';
import { agentKeys } from './ssh-agent.ts';
import { sshKeyPath } from './write-ssh-config.ts';

/** Whether ssh here uses the key that is registered: on a second machine it does not. */
export async function usesRegisteredKey(context: CliContext, client: Client, username: string): Promise<boolean> {
  const [{ ssh_pubkey_fingerprint: registered }, path] = await Promise.all([
    client.call('getUser', { params: { username } }),
    sshKeyPath(context),
  ]);
  const { env } = context;
  // Where no key is named, OpenSSH offers those of the agent.
  const lines =
    path === null
      ? await agentKeys(env)
      : await loadSshKey(path, { env }).then(
          (key) => [key.publicKey],
          () => [],
        );
  return lines.map(parseSshPublicKey).some((key) => 'fingerprint' in key && key.fingerprint === registered);
}
