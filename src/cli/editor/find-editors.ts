import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { nearest } from '../../core/nearest.ts';
import { failure, usageError } from '../cli-error.ts';
import type { Environment } from '../context.ts';
import { editorNamed, editors } from './editors.ts';
import type { Editor } from './editors.ts';

export type FoundEditor = {
  readonly editor: Editor;
  /** The program that starts it. */
  readonly path: string;
};

/** Those that are on this machine, in the order of preference. */
export async function findEditors(env: Environment): Promise<FoundEditor[]> {
  const found = await Promise.all(editors.map(async (editor) => ({ editor, path: await programOf(editor, env) })));
  return found.flatMap(({ editor, path }) => (path === null ? [] : [{ editor, path }]));
}

/** What was asked for, and where. */
export type EditorWish = { readonly name: string; readonly from: '--editor' | 'NEXUS_EDITOR' | 'editor.preferred' };

/**
 * The editor that was asked for, else the first that there is; null when there is none.
 * @throws CliError when the name is none that is known, or that editor is not on this machine
 */
export async function chooseEditor(env: Environment, wish: EditorWish | null): Promise<FoundEditor | null> {
  const found = await findEditors(env);
  if (wish === null) return found[0] ?? null;
  const editor = editorNamed(wish.name);
  if (editor === undefined) throw unknownEditor(wish);
  const match = found.find((one) => one.editor.id === editor.id);
  if (match !== undefined) return match;
  const others = found.map((one) => one.editor.id).join(', ');
  throw failure(
    `${editor.title}, which ${wish.from} asks for, is not on this machine: ${notOnPath(editor.programs)}.${others === '' ? '' : ` There is: ${others}.`}`,
    { next: 'nexus editor detect' },
  );
}

function notOnPath(programs: readonly string[]): string {
  const names = programs.join(', ');
  return programs.length === 1 ? `${names} is not on the PATH` : `none of ${names} is on the PATH`;
}

function unknownEditor({ name, from }: EditorWish): Error {
  const names = editors.map(({ id }) => id);
  const [suggestion] = nearest(name, names);
  const guess = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
  return usageError(`${from} names no editor that is known: ${name}.${guess} Known: ${names.join(', ')}.`, {
    next: 'nexus editor detect',
  });
}

async function programOf(editor: Editor, env: Environment): Promise<string | null> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = editor.programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  for (const path of [...onPath, ...editor.macPrograms]) {
    if (await isProgram(path)) return path;
  }
  return null;
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
