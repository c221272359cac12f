import { NexusError } from '../../contract/errors.ts';
import type { HealthView, StatusView } from '../../contract/node.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { formatBytes, formatDuration } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { paint } from '../terminal/paint.ts';
import { printResult } from '../terminal/print.ts';
import { formatFields } from '../terminal/table.ts';

export const serverStatus = defineCommand({
  description: 'Shows how the server is; to administrators its database, ports, disk and queue too.',
  examples: ['nexus server status', 'nexus server status --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not ask the server how it is',
  async run({ json }, context) {
    const client = await connect(context);
    const status = await client.call('getStatus').catch((error: unknown) => {
      if (error instanceof NexusError && ['forbidden', 'unauthorized'].includes(error.code))
        return client.call('getHealth');
      throw error;
    });
    printResult<HealthView | StatusView>(context, status, {
      json,
      text: (view) => statusText(view, client.baseUrl, context.stdout),
    });
  },
});

function statusText(view: HealthView | StatusView, baseUrl: string, output: Output): string {
  const color = paint(output);
  const fields: (readonly [string, string])[] = [
    ['Server', `${baseUrl}, ${view.version}`],
    ['Status', view.status === 'ok' ? color.green('ok') : color.yellow(view.status)],
    ['Up for', formatDuration(view.uptime_seconds * 1000)],
    ...Object.entries(view.nodes).map(
      ([name, node]) => ['Node', `${name}, ${node.status}, workspaces: ${node.workspaces}`] as const,
    ),
  ];
  if ('database' in view) {
    const { ports, disk, gateway } = view;
    fields.push(
      [
        'Gateway',
        gateway.connected ? `connected, ${gateway.version ?? 'of unknown version'}` : color.red('not connected'),
      ],
      [
        'Ports left',
        `SSH ${ports.ssh.free} of ${ports.ssh.total}, services ${ports.services.free} of ${ports.services.total}`,
      ],
      [
        'Database',
        `${view.database.path}, ${formatBytes(view.database.size_bytes)}, schema ${view.database.schema_version}`,
      ],
      ['Disk', `${formatBytes(disk.free_bytes)} free of ${formatBytes(disk.total_bytes)}`],
      ['Under way', String(view.queue)],
    );
  }
  return formatFields(fields, output);
}
