import { createHash } from 'node:crypto';
import { NexusError } from '../../../contract/errors.ts';
import { CommandError, runCommand } from '../../../lib/run-command.ts';
import { hostNetworks } from './host-networks.ts';
import { layout } from './layout.ts';
import { networkRules, tableName } from './network-rules.ts';
import { upstreamResolvers } from './upstream-resolvers.ts';

const timeoutMs = 10_000;
/** Raised with every change of `networkRules`. */
const rulesVersion = 2;

/** The workspaces' range, and what they may reach in the networks of the host. */
export type RulesOptions = { readonly range: string; readonly reach: readonly string[] };

/**
 * Puts the host's network rules for workspaces in place, for the host's present name servers and networks. The kernel forgets
 * them at a reboot, and others may flush them: no workspace is started without. Changes nothing when they are there.
 * @throws provider_unavailable when the rules cannot be set
 */
export async function applyNetworkRules(options: RulesOptions): Promise<void> {
  try {
    const rules = await wantedRules(options);
    if (!(await arePresent(rules))) await runCommand(['nft', '-f', '-'], { timeoutMs, stdin: rules });
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

/** What is wrong with the rules that are in place; null: nothing. */
export async function networkProblem(options: RulesOptions): Promise<string | null> {
  if (!(await arePresent(await wantedRules(options)))) return 'the network rules are not in place';
  return (await missingDockerRules()).length > 0 ? "Docker's FORWARD chain keeps workspaces offline" : null;
}

/**
 * With their version and a fingerprint of themselves as the table's comment, by which rules that are in place are known
 * again. An agent of an earlier version on the same machine leaves those of a later one alone.
 */
async function wantedRules(options: RulesOptions): Promise<string> {
  const [upstream, networks] = await Promise.all([upstreamResolvers(), hostNetworks()]);
  const rules = networkRules({ ...options, upstream, hostNetworks: networks });
  return rules.replace(/\{\n {2}set/, `{\n  comment "${rulesVersion} ${fingerprint(rules)}"\n  set`);
}

async function arePresent(rules: string): Promise<boolean> {
  const present = await runCommand(['nft', 'list', 'table', 'inet', tableName], { timeoutMs }).catch(ignoreFailure);
  const [ours, theirs] = [commentOf(rules), commentOf(present?.stdout ?? '')];
  return theirs !== null && (theirs.version > rulesVersion || theirs.fingerprint === ours?.fingerprint);
}

function commentOf(rules: string): { version: number; fingerprint: string } | null {
  const [, version = '', of = ''] = /comment "(\d+) ([0-9a-f]{32})"/.exec(rules) ?? [];
  return version === '' ? null : { version: Number(version), fingerprint: of };
}

function fingerprint(rules: string): string {
  return createHash('sha256').update(rules).digest('hex').slice(0, 32);
}

const workspaces = `${layout.interfacePrefix}+`;
/** dockerd sets FORWARD to drop, and lets its users except from it in the chain DOCKER-USER. */
const dockerRules = [
  ['-i', workspaces, '-j', 'ACCEPT'],
  ['-o', workspaces, '-j', 'ACCEPT'],
];

async function missingDockerRules(): Promise<string[][]> {
  const chain = await runCommand(['iptables', '--wait', '--list-rules', 'DOCKER-USER'], { timeoutMs }).catch(
    ignoreFailure,
  );
  return chain ? dockerRules.filter((rule) => !chain.stdout.includes(rule.join(' '))) : [];
}

/** No such table, chain or program: then there is nothing. */
function ignoreFailure(thrown: unknown): null {
  if (thrown instanceof CommandError) return null;
  throw thrown;
}
