import { createHash } from 'node:crypto';
import { NexusError } from '../../contract/errors.ts';
import { CommandError, runCommand } from '../../lib/run-command.ts';
import { layout } from '../providers/lxc/layout.ts';
import { networkRules, tableName } from './network-rules.ts';
import { bad, good, type SetupStep } from './setup-step.ts';
import { upstreamResolvers } from './upstream-resolvers.ts';

const timeoutMs = 10_000;

/**
 * Puts the host's network rules for workspaces in place, for the host's present name servers. The kernel forgets
 * them at a reboot, therefore every start of an agent calls this. Repeating it changes nothing.
 * @throws provider_unavailable when the rules cannot be set
 */
export async function applyNetworkRules({ range }: { range: string }): Promise<void> {
  const rules = await wantedRules(range);
  try {
    await runCommand(['nft', '-f', '-'], { timeoutMs, stdin: rules });
    for (const rule of await missingDockerRules()) {
      await runCommand(['iptables', '--wait', '--insert', 'DOCKER-USER', ...rule], { timeoutMs });
    }
  } catch (thrown) {
    const reason = `the network rules could not be set: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new NexusError('provider_unavailable', { provider: 'lxc', reason }, { cause: thrown });
  }
}

export async function removeNetworkRules(): Promise<void> {
  await runCommand(['nft', 'delete', 'table', 'inet', tableName], { timeoutMs }).catch(ignoreFailure);
  for (const rule of dockerRules) {
    await runCommand(['iptables', '--wait', '--delete', 'DOCKER-USER', ...rule], { timeoutMs }).catch(ignoreFailure);
  }
}

export function networkStep({ range }: { range: string }): SetupStep {
  const id = 'network';
  return {
    id,
    title: 'Network rules',
    async check() {
      const upstream = await upstreamResolvers();
      if (upstream.length === 0) return bad(id, 'no name server is known that a workspace can reach', 'cat /etc/resolv.conf');
      const present = await runCommand(['nft', 'list', 'table', 'inet', tableName], { timeoutMs }).catch(ignoreFailure);
      if (!present?.stdout.includes(fingerprint(await wantedRules(range)))) return bad(id, 'the rules are not in place');
      if ((await missingDockerRules()).length > 0) return bad(id, "Docker's FORWARD chain keeps workspaces offline");
      return good(id, `${range}, names from ${upstream.slice(0, 2).join(' and ')}`);
    },
    apply: () => applyNetworkRules({ range }),
  };
}

/** With a fingerprint of themselves as the table's comment, by which rules that are in place are known again. */
async function wantedRules(range: string): Promise<string> {
  const rules = networkRules({ range, upstream: await upstreamResolvers() });
  return rules.replace(/\{\n {2}chain/, `{\n  comment "${fingerprint(rules)}"\n  chain`);
}

function fingerprint(rules: string): string {
  const own = rules.replace(/ {2}comment "[0-9a-f]+"\n/, '');
  return createHash('sha256').update(own).digest('hex').slice(0, 32);
}

const workspaces = `${layout.interfacePrefix}+`;
/** dockerd sets FORWARD to drop, and lets its users except from it in the chain DOCKER-USER. */
const dockerRules = [
  ['--in-interface', workspaces, '--jump', 'ACCEPT'],
  ['--out-interface', workspaces, '--jump', 'ACCEPT'],
];

async function missingDockerRules(): Promise<string[][]> {
  const chain = await runCommand(['iptables', '--wait', '--list-rules', 'DOCKER-USER'], { timeoutMs }).catch(ignoreFailure);
  if (!chain) return [];
  return dockerRules.filter(([flag]) => {
    const short = flag === '--in-interface' ? '-i' : '-o';
    return !chain.stdout.includes(`${short} ${workspaces} -j ACCEPT`);
  });
}

function ignoreFailure(thrown: unknown): null {
  if (thrown instanceof CommandError) return null;
  throw thrown;
}
