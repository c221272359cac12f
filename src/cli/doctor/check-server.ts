/** The server as it is seen from here: reachable, knowing us, with nodes, ports and disk left. */
import type { Client } from '../../contract/api-client.ts';
import type { HealthView } from '../../contract/node.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import type { CliContext } from '../context.ts';
import { describeFailure } from '../report-error.ts';
import { loadSshKey } from '../ssh/load-ssh-key.ts';
import { sshKeyPath } from '../ssh/write-ssh-config.ts';
import { broken, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { engineFindings, nodeFindings, statusFindings } from './server-findings.ts';

export async function checkServer(context: CliContext, client: Client): Promise<Finding[]> {
  let health: HealthView;
  try {
    health = await client.call('getHealth');
  } catch (error) {
    return [failed('server', error)];
  }
  const findings = [
    health.status === 'ok'
      ? ok('server', `${client.baseUrl}, ${health.version}`)
      : warning('server', `${client.baseUrl} is ${health.status}`, 'nexus server status'),
    ...(health.version === context.version
      ? []
      : [warning('version', `this is ${context.version}, the server ${health.version}`, 'nexus version')]),
    ...nodeFindings(health, client.baseUrl),
  ];
  try {
    const user = await client.call('whoAmI');
    return [
      ...findings,
      ok('sign-in', `as ${user.github_username}`),
      await checkKey(context, client, user),
      ...(user.admin ? await adminFindings(client) : []),
    ];
  } catch (error) {
    return [...findings, failed('sign-in', error)];
  }
}

async function adminFindings(client: Client): Promise<Finding[]> {
  const [status, { nodes }] = await Promise.all([client.call('getStatus'), client.call('listNodes')]);
  return [...statusFindings(status), ...engineFindings(nodes)];
}

function failed(name: string, error: unknown): Finding {
  const { why, next } = describeFailure(error, '');
  return broken(name, why, next ?? 'nexus server status');
}

async function checkKey(
  context: CliContext,
  client: Client,
  user: { github_username: string; registered: boolean },
): Promise<Finding> {
  const name = 'registered SSH key';
  if (!user.registered) return broken(name, 'there is none', 'nexus ssh setup');
  const path = await sshKeyPath(context);
  if (path === null) return broken(name, 'its private half is not on this machine', 'nexus ssh setup --yes');
  const [view, key] = await Promise.all([
    client.call('getUser', { params: { username: user.github_username } }),
    loadSshKey(path, { env: context.env }),
  ]);
  const parsed = parseSshPublicKey(key.publicKey);
  const fingerprint = 'problem' in parsed ? null : parsed.fingerprint;
  return fingerprint === view.ssh_pubkey_fingerprint
    ? ok(name, `${path} (${fingerprint})`)
    : broken(
        name,
        `${path} is another key than the registered ${view.ssh_pubkey_fingerprint}`,
        'nexus ssh setup --yes',
      );
}
