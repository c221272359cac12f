/** What the server's own words about itself mean for whoever asks whether all is well. */
import type { HealthView, NodeView, ProviderHealth, StatusView } from '../../contract/node.ts';
import { hasRoom } from '../../core/placement.ts';
import { formatBytes } from '../terminal/format.ts';
import { broken, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** @param url of the server, for the agent of a node that is away */
export function nodeFindings({ nodes }: HealthView, url: string): Finding[] {
  const names = Object.keys(nodes);
  if (names.length === 0) return [broken('nodes', 'there are none', 'nexus node token node-1')];
  return Object.entries(nodes).map(([name, node]) =>
    node.status === 'unreachable'
      ? broken(
          `node ${name}`,
          `is unreachable, last heard of ${node.last_heartbeat ?? 'never'}: on it, its agent has to run and to reach the server`,
          `sudo nexus agent start --server ${url} --name ${name}`,
        )
      : ok(`node ${name}`, `${node.status}, workspaces: ${node.workspaces}`),
  );
}

/** What administrators see of the engines of the nodes that answer. */
export function engineFindings(nodes: readonly NodeView[]): Finding[] {
  return nodes
    .filter(({ status }) => status !== 'unreachable')
    .flatMap((node) => [
      ...node.providers.map((provider) => engineFinding(node.name, provider)),
      ...unknownFindings(node),
    ]);
}

function unknownFindings(node: NodeView): Finding[] {
  if (node.unknown_instances.length === 0) return [];
  const instances = node.unknown_instances.map(instanceName);
  const detail = `no workspace knows ${instances.join(', ')}: look what is in there before it is removed`;
  return [warning(`instances of ${node.name}`, detail, removalCommand(node))];
}

/** To be run on the node. */
export function removalCommand(node: Pick<NodeView, 'providers' | 'unknown_instances'>): string {
  const program = node.providers.some(({ engine }) => engine === 'incus') ? 'incus' : 'lxc';
  return `sudo ${program} delete --force --project nexus ${node.unknown_instances.map(instanceName).join(' ')}`;
}

export function instanceName(workspaceId: string): string {
  return workspaceId.replace(/^ws-/, 'nexus-');
}

function engineFinding(node: string, provider: ProviderHealth): Finding {
  const name = `${provider.name} of ${node}`;
  if (!provider.ok) return broken(name, `is not available: ${provider.reason}`, 'sudo nexus node setup');
  if (provider.disk_free_bytes === null) return ok(name, engineText(provider));
  const free = `${formatBytes(provider.disk_free_bytes)} free`;
  return hasRoom(provider)
    ? ok(name, `${engineText(provider)}, ${free}`)
    : broken(name, `takes no new workspaces: only ${free}`, 'nexus workspace list');
}

function engineText({ engine, version }: ProviderHealth): string {
  return [engine, version].filter(Boolean).join(' ');
}

/** Its own, of the gateway that a server starts; to be run on the server. */
function gatewayLog(database: string): string {
  return `sudo tail -n 20 ${database.replace(/[^/]*$/, '')}logs/gateway.log`;
}

/** Below these, soon nothing new fits. */
const leastFreePorts = 3;
const leastFreeDisk = 0.1;

export function statusFindings({ gateway, ports, disk, database }: StatusView): Finding[] {
  const portsDetail = `SSH ${ports.ssh.free} of ${ports.ssh.total}, services ${ports.services.free} of ${ports.services.total}`;
  const diskDetail = `${formatBytes(disk.free_bytes)} free of ${formatBytes(disk.total_bytes)}`;
  const hasPorts = ports.ssh.free >= leastFreePorts && ports.services.free >= leastFreePorts;
  return [
    gateway.connected
      ? ok('gateway', `connected, ${gateway.version ?? 'of unknown version'}`)
      : broken('gateway', 'is not connected', gatewayLog(database.path)),
    hasPorts ? ok('ports left', portsDetail) : warning('ports left', portsDetail, 'nexus workspace list'),
    disk.free_bytes >= disk.total_bytes * leastFreeDisk
      ? ok("server's disk", diskDetail)
      : warning("server's disk", diskDetail, 'nexus workspace list'),
  ];
}
