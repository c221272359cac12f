import type { WorkspaceView } from '../../contract/workspace.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { editors } from '../editor/editors.ts';
import { chooseEditor } from '../editor/find-editors.ts';
import type { FoundEditor } from '../editor/find-editors.ts';
import { editorWish, openEditor, prepareSsh, untilRunning } from '../editor/open-workspace.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';
import { printJson } from '../terminal/print.ts';
import { formatFields } from '../terminal/table.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';

export const workspaceConnect = defineCommand({
  description:
    'Opens your editor on a workspace over SSH. A stopped workspace is started, the SSH configuration is written, and the connection is tried first.',
  examples: [
    'nexus workspace connect my-project',
    'nexus workspace connect my-project --editor code',
    'nexus workspace connect my-project --print',
  ],
  configure(command) {
    command
      .argument(...nameArgument)
      .option('--editor <editor>', `one of ${editors.map(({ id }) => id).join(', ')} (default: the first there is)`)
      .option('--print', 'only print the link and the SSH command')
      .option(...jsonOption);
  },
  parse(typed) {
    const options = { ...parseWorkspaceOptions(typed), editor: textOption(typed, 'editor') };
    if (options.editor === '') throw usageError('--editor needs a name.', { next: 'nexus editor detect' });
    return { ...options, print: flagOption(typed, 'print') };
  },
  failure: ({ name }) => `Could not open ${called(name)}`,
  interrupt: 'own',
  async run({ name, editor, print, json }, context) {
    const wish = await editorWish(context, editor);
    const found = await chooseEditor(context.env, wish);
    const { client, workspace } = await connectToWorkspace(context, name);
    const isWanted = found !== null && !print;
    if (!isWanted) {
      tell(context, workspace, { found, json, opened: false });
      if (found === null && !json) context.stderr.write(`! No editor was found: ${noEditor}\n`);
      return;
    }
    const running = await untilRunning(context, client, workspace);
    await prepareSsh(context, client, running);
    const isHere = found.editor.place === 'terminal';
    // An editor in this terminal has it for itself; there is none to have where nobody sits before it.
    if (isHere && (json || context.stdin.isTTY !== true)) return tell(context, running, { found, json, opened: false });
    if (isHere) return openEditor(context, found, running);
    await openEditor(context, found, running);
    tell(context, running, { found, json, opened: true });
  },
});

const noEditor = `none of ${editors.flatMap(({ programs }) => programs).join(', ')} is on the PATH`;

/** What opens it by hand, in case it did not. */
function tell(
  { stdout }: CliContext,
  workspace: WorkspaceView,
  options: { found: FoundEditor | null; json: boolean; opened: boolean },
): void {
  const { found, json, opened } = options;
  const link = found?.editor.link(workspace) ?? null;
  const sshCommand = `ssh ${hostAlias(workspace.name)}`;
  if (json) {
    const { workspace_id, name } = workspace;
    printJson(stdout, { workspace_id, name, editor: found?.editor.id ?? null, opened, link, ssh_command: sshCommand });
    return;
  }
  const title = found?.editor.title ?? 'no editor';
  const fields: (readonly [string, string])[] = [
    ['Editor', opened ? `${title} opens ${workspace.name}` : title],
    ...(link === null ? [] : [['Link', link] as const]),
    ['SSH', sshCommand],
  ];
  stdout.write(formatFields(fields, stdout));
}
