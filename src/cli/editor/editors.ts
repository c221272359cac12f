/** The editors that can be opened on a workspace, and how each of them takes one. Pure. */
import type { WorkspaceView } from '../../contract/workspace.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';

/** Where the repository is in every workspace. */
const workspaceFolder = '/home/dev/workspace';

export type Editor = {
  /** As it is named in `--editor`, the environment and the person's file. */
  readonly id: string;
  readonly title: string;
  readonly aliases: readonly string[];
  /** Programs that start it, the first that is found counts. */
  readonly programs: readonly string[];
  /** Where its program is on macOS when it was never put on the PATH. */
  readonly macPrograms: readonly string[];
  /** A window of its own, or this terminal. */
  readonly place: 'window' | 'terminal';
  /** What its program takes to open the workspace; for `terminal`, what ssh takes. */
  args(workspace: WorkspaceView): readonly string[];
  /** What a browser or a chat opens it with; null where there is no such link. */
  link(workspace: WorkspaceView): string | null;
};

/** In the order in which they are looked for. */
export const editors: readonly Editor[] = [
  likeCode({ id: 'cursor', title: 'Cursor', scheme: 'cursor', app: 'Cursor.app/Contents/Resources/app/bin/cursor' }),
  likeCode({
    id: 'code',
    title: 'VS Code',
    aliases: ['vscode', 'vs-code'],
    scheme: 'vscode',
    app: 'Visual Studio Code.app/Contents/Resources/app/bin/code',
  }),
  likeCode({
    id: 'codium',
    title: 'VSCodium',
    aliases: ['vscodium'],
    scheme: 'vscodium',
    app: 'VSCodium.app/Contents/Resources/app/bin/codium',
  }),
  {
    id: 'zed',
    title: 'Zed',
    aliases: ['zeditor'],
    programs: ['zed', 'zeditor'],
    macPrograms: ['/Applications/Zed.app/Contents/MacOS/cli'],
    place: 'window',
    args: ({ name }) => [`ssh://${hostAlias(name)}${workspaceFolder}`],
    link: ({ name }) => `zed://ssh/${hostAlias(name)}${workspaceFolder}`,
  },
  {
    id: 'idea',
    title: 'JetBrains Gateway',
    aliases: ['gateway', 'jetbrains', 'jetbrains-gateway', 'intellij'],
    programs: ['jetbrains-gateway', 'idea', 'gateway'],
    macPrograms: [
      '/Applications/JetBrains Gateway.app/Contents/MacOS/gateway',
      '/Applications/IntelliJ IDEA.app/Contents/MacOS/idea',
    ],
    place: 'window',
    args: (workspace) => [gatewayLink(workspace)],
    link: gatewayLink,
  },
  inTerminal({ id: 'nvim', title: 'Neovim', aliases: ['neovim'] }),
  inTerminal({ id: 'vim', title: 'Vim', aliases: ['vi'] }),
];

/** By its id or another of its names, in any case. */
export function editorNamed(name: string): Editor | undefined {
  const wanted = name.trim().toLowerCase().replaceAll(' ', '-');
  return editors.find(({ id, aliases }) => id === wanted || aliases.includes(wanted));
}

/** Visual Studio Code and what was made of it. */
function likeCode(options: {
  id: string;
  title: string;
  aliases?: readonly string[];
  scheme: string;
  app: string;
}): Editor {
  const { id, title, aliases = [], scheme, app } = options;
  return {
    id,
    title,
    aliases,
    programs: [id],
    macPrograms: [`/Applications/${app}`],
    place: 'window',
    args: ({ name }) => ['--remote', `ssh-remote+${hostAlias(name)}`, workspaceFolder],
    link: ({ name }) => `${scheme}://vscode-remote/ssh-remote+${hostAlias(name)}${workspaceFolder}`,
  };
}

/** They run where the files are: a shell in the repository, in this terminal. */
function inTerminal(options: { id: string; title: string; aliases: readonly string[] }): Editor {
  return {
    ...options,
    programs: [options.id],
    macPrograms: [],
    place: 'terminal',
    args: ({ name }) => ['-t', hostAlias(name), 'cd ~/workspace && exec $SHELL -l'],
    link: () => null,
  };
}

function gatewayLink({ name, ssh }: WorkspaceView): string {
  const fields = {
    type: 'ssh',
    host: hostAlias(name),
    port: String(ssh.port ?? 22),
    user: ssh.user,
    deploy: 'true',
    projectPath: workspaceFolder,
  };
  return `jetbrains-gateway://connect#${new URLSearchParams(fields).toString()}`;
}
