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
  options: {
    env?: Readonly<Record<string, string>>;
    input?: string;
    /** Ends git; the exit code is not 0 then. */
    signal?: AbortSignal;
    /** Told the last line of what git says of itself. */
    onProgress?: (line: string) => void;
  } = {},
): Promise<GitResult> {
  return new Promise((resolve) => {
    const env = { ...ownEnvironment(), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...options.env };
    const child = execFile(
      'git',
      ['-C', folder, ...args],
      { env, maxBuffer: 256 * 1024 * 1024, ...(options.signal === undefined ? {} : { signal: options.signal }) },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
        resolve({ exitCode: code, stdout, stderr: stderr || (code === 127 ? (error?.message ?? '') : '') });
      },
    );
    const { onProgress } = options;
    if (onProgress !== undefined) child.stderr?.on('data', (chunk: string) => onProgress(lastLine(chunk)));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** git ends a line that it writes over with a carriage return. */
function lastLine(text: string): string {
  return text.split(/[\r\n]+/).findLast((line) => line.trim() !== '') ?? '';
}

/** The first line of what git prints, or null when it fails. */
export async function askGit(folder: string, args: readonly string[]): Promise<string | null> {
  const { exitCode, stdout } = await runGit(folder, args);
  return exitCode === 0 ? (stdout.split('\n')[0] ?? '') : null;
}
