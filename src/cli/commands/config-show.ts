import { resolveRepository } from '../../core/config/resolve-repository.ts';
import type { ResolvedConfig } from '../../contract/service-spec.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { chosenFolder, folderArgument, parseFolderOptions } from '../repository/config-options.ts';
import { readFolder } from '../repository/read-folder.ts';
import type { Output } from '../terminal/output.ts';
import { printResult } from '../terminal/print.ts';
import { formatFields, formatTable } from '../terminal/table.ts';

export const configShow = defineCommand({
  description: 'Shows what a workspace of this repository would run: as its .nexus/config.yaml says, else as detected.',
  examples: ['nexus config show', 'nexus config show --json'],
  configure: (command) => void command.argument(...folderArgument).option(...jsonOption),
  parse: parseFolderOptions,
  failure: () => 'Could not read the configuration',
  async run({ folder, json }, context) {
    const contents = await readFolder(await chosenFolder(context, folder));
    const config = resolveRepository(contents.files, contents.listing, contents);
    printResult(context, config, { json, text: () => configText(config, context.stdout) });
  },
});

function configText(config: ResolvedConfig, output: Output): string {
  const hooks = [
    ...Object.entries(config.lifecycle),
    ...config.hook_files.map((hook) => [hook, `.nexus/hooks/${hook}.sh`] as const),
  ];
  const fields: (readonly [string, string])[] = [
    [
      'From',
      config.source === 'config'
        ? '.nexus/config.yaml'
        : 'what the repository holds (nexus config init writes it down)',
    ],
    ['Image', config.image ?? "the server's default"],
    ...(config.packages.length > 0 ? [['Packages', config.packages.join(', ')] as const] : []),
    ...hooks.map(([hook, command]) => [hook, String(command)] as const),
    ...config.notes.map((note) => ['Note', note] as const),
  ];
  const rows = config.services.map((service) => [
    service.name,
    service.port === undefined ? '-' : String(service.port),
    service.depends_on.join(', ') || '-',
    service.health_check?.type ?? '-',
    service.command.split('\n')[0] ?? '',
  ]);
  const services =
    rows.length === 0 ? 'No services.\n' : formatTable(['SERVICE', 'PORT', 'AFTER', 'HEALTH', 'COMMAND'], rows, output);
  return `${formatFields(fields, output)}\n${services}`;
}
