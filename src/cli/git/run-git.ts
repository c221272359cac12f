import { execFile } from 'node:child_process';

export type GitResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** What git sets for its hooks: it would look at that repository instead of the folder. */
const repositoryVariables = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX'];

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !repositoryVariables.includes(name)));
}

/**
 * Runs git in a folder; it asks no questions. Never throws for an exit code; 127 when there is no git.
 */
export function runGit(
  folder: string,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<GitResult> {
  return new Promise((resolve) => {
    const env = { ...ownEnvironment(), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...options.env };
    const child = execFile(
      'git',
      ['-C', folder, ...args],
      { env, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
        resolve({ exitCode: code, stdout, stderr: stderr || (code === 127 ? (error?.message ?? '') : '') });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** The first line of what git prints, or null when it fails. */
export async function askGit(folder: string, args: readonly string[]): Promise<string | null> {
  const { exitCode, stdout } = await runGit(folder, args);
  return exitCode === 0 ? (stdout.split('\n')[0] ?? '') : null;
}
