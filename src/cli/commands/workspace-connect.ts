import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import { connectEditor } from '../editor/connect-editor.ts';
import { editorOption } from '../editor/editor-option.ts';
import { chooseEditor } from '../editor/find-editors.ts';
import { editorWish } from '../editor/open-workspace.ts';
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
      .addOption(editorOption())
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
    return connectEditor(context, client, { workspace, found, print, json });
  },
});
