/** Opens the editor on a workspace, and tells what opens it by hand in case it did not. */
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';
import { printJson } from '../terminal/print.ts';
import { formatFields } from '../terminal/table.ts';
import { editors } from './editors.ts';
import type { FoundEditor } from './find-editors.ts';
import { openEditor, prepareSsh, untilRunning } from './open-workspace.ts';

export type ConnectOptions = {
  /** Null: there is none on this machine. */
  readonly found: FoundEditor | null;
  /** Nothing is opened. */
  readonly print: boolean;
  readonly json: boolean;
};

/** What programs are told of an editor that was or was not opened. */
export type EditorResult = {
  readonly editor: string | null;
  readonly opened: boolean;
  readonly link: string | null;
  readonly ssh_command: string;
};

/** @returns the exit code of an editor in this terminal */
export async function connectEditor(
  context: CliContext,
  client: Client,
  { workspace, found, print, json }: ConnectOptions & { workspace: WorkspaceView },
): Promise<number | void> {
  if (found === null || print) {
    tell(context, workspace, { found, json, opened: false });
    if (found === null && !json) context.stderr.write(`! No editor was found: ${noEditor}\n`);
    return;
  }
  const running = await untilRunning(context, client, workspace);
  const opened = await openWindow(context, client, { workspace: running, found });
  // An editor in this terminal has it for itself; there is none to have where nobody sits before it.
  if (!opened && !json && context.stdin.isTTY === true) return openEditor(context, found, running);
  tell(context, running, { found, json, opened });
}

/** Makes sure that SSH gets in. @returns whether an editor was opened: one that runs in this terminal is not */
export async function openWindow(
  context: CliContext,
  client: Client,
  { workspace, found }: { workspace: WorkspaceView; found: FoundEditor | null },
): Promise<boolean> {
  await prepareSsh(context, client, workspace);
  if (found?.editor.place !== 'window') return false;
  await openEditor(context, found, workspace);
  return true;
}

export function editorResult(
  workspace: WorkspaceView,
  { found, opened }: { found: FoundEditor | null; opened: boolean },
): EditorResult {
  const { editor = null } = found ?? {};
  const link = editor?.link(workspace) ?? null;
  return { editor: editor?.id ?? null, opened, link, ssh_command: `ssh ${hostAlias(workspace.name)}` };
}

/** Why none is opened. */
export const noEditor = `none of ${editors.flatMap(({ programs }) => programs).join(', ')} is on the PATH`;

function tell(
  { stdout }: CliContext,
  workspace: WorkspaceView,
  options: { found: FoundEditor | null; json: boolean; opened: boolean },
): void {
  const { found, json, opened } = options;
  const result = editorResult(workspace, options);
  if (json) {
    const { workspace_id, name } = workspace;
    printJson(stdout, { workspace_id, name, ...result });
    return;
  }
  const title = found?.editor.title ?? 'no editor';
  const fields: (readonly [string, string])[] = [
    ['Editor', opened ? `${title} opens ${workspace.name}` : title],
    ...(result.link === null ? [] : [['Link', result.link] as const]),
    ['SSH', result.ssh_command],
  ];
  stdout.write(formatFields(fields, stdout));
}
