import type { NodeView } from '../../contract/node.ts';
import { hasRoom } from '../../core/placement.ts';
import { instanceName, removalCommand } from '../doctor/server-findings.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { formatAgo, formatBytes } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { paint } from '../terminal/paint.ts';
import type { Style } from '../terminal/paint.ts';
import { printResult } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';

export const nodeList = defineCommand({
  description: 'Lists the machines that hold workspaces. For administrators.',
  examples: ['nexus node list', 'nexus node list --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not list the nodes',
  async run({ json }, context) {
    const { nodes } = await (await connect(context)).call('listNodes');
    printResult(context, nodes, { json, text: (all) => nodesText(all, { output: context.stdout, nowMs: Date.now() }) });
  },
});

const styles: Readonly<Record<NodeView['status'], Style>> = { ready: 'green', draining: 'yellow', unreachable: 'red' };

function nodesText(nodes: readonly NodeView[], { output, nowMs }: { output: Output; nowMs: number }): string {
  if (nodes.length === 0) return 'There are no nodes yet: nexus node token NAME lets one join.\n';
  const color = paint(output);
  const table = formatTable(
    ['NODE', 'STATUS', 'WORKSPACES', 'HEARTBEAT', 'PROVIDERS', 'VERSION'],
    nodes.map((node) => [
      node.name,
      color[styles[node.status]](node.status),
      String(node.workspaces),
      node.last_heartbeat === null ? 'never' : formatAgo(node.last_heartbeat, nowMs),
      node.providers.map(providerText).join('; '),
      node.version ?? '-',
    ]),
    output,
  );
  const unknown = nodes.filter((node) => node.unknown_instances.length > 0);
  return `${table}${unknown.map((node) => unknownText(node)).join('')}`;
}

function unknownText(node: NodeView): string {
  const names = node.unknown_instances.map(instanceName).join(', ');
  return `! ${node.name} has instances that no workspace knows: ${names}\n  → ${removalCommand(node)}\n`;
}

function providerText(provider: NodeView['providers'][number]): string {
  if (!provider.ok) return [`${provider.name}: not available`, provider.reason].filter(Boolean).join(': ');
  const engine = [provider.engine, provider.version].filter(Boolean).join(' ');
  const free = provider.disk_free_bytes === null ? '' : `, ${formatBytes(provider.disk_free_bytes)} free`;
  const full = hasRoom(provider) ? '' : ', takes no new workspaces';
  return `${provider.name} (${engine}${free}${full})`;
}
