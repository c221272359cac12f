import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { editorNamed, editors } from '../editor/editors.ts';
import { findEditors } from '../editor/find-editors.ts';
import { editorWish } from '../editor/open-workspace.ts';
import { printResult } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';

export const editorDetect = defineCommand({
  description: 'Shows the editors that are on this machine, and which of them a workspace opens in.',
  examples: ['nexus editor detect', 'NEXUS_EDITOR=code nexus editor detect'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not look for editors',
  async run({ json }, context) {
    const [found, wish] = await Promise.all([findEditors(context.env), editorWish(context, undefined)]);
    const wanted = wish === null ? found[0]?.editor.id : editorNamed(wish.name)?.id;
    const rows = found.map(({ editor, path }) => ({
      id: editor.id,
      title: editor.title,
      path,
      preferred: editor.id === wanted,
    }));
    printResult(context, rows, {
      json,
      text: () =>
        rows.length === 0
          ? `None of ${editors.flatMap(({ programs }) => programs).join(', ')} is on the PATH.\n`
          : formatTable(
              ['EDITOR', 'NAME', 'PROGRAM', ''],
              rows.map((row) => [row.id, row.title, row.path, row.preferred ? 'opens workspaces' : '']),
              context.stdout,
            ),
    });
    if (wish !== null && !rows.some((row) => row.preferred))
      context.stderr.write(`! ${wish.from} asks for ${wish.name}, which is not here\n`);
  },
});
