import { NexusError } from '../../contract/errors.ts';
import type { ExecHandle, Provider } from '../providers/provider.ts';
import { readLines } from './read-lines.ts';
import { readSome } from './read-some.ts';
import { rootScript, type ScriptName } from './scripts.ts';

export type ScriptRun = {
  readonly script: ScriptName;
  readonly args?: readonly string[];
  readonly stdin?: string;
  /** Killed after it; absent: it may take as long as it likes. */
  readonly timeoutMs?: number;
  /** Called with each line of progress as it comes; these are not in the result. */
  readonly onProgress?: (line: string) => void;
};

export type ScriptResult = { readonly exitCode: number; readonly lines: readonly string[]; readonly stderr: string };

const progressKey = 'progress\t';
/** Our scripts write a hundredth of it; the owner of the workspace can make them write without end. */
const maxOutputLength = 8 * 2 ** 20;
const maxErrorBytes = 256 * 1024;

/** Starts one of the agent's scripts as root. @throws stream_failed */
export function startScript(
  provider: Provider,
  id: string,
  { script, args = [] }: Pick<ScriptRun, 'script' | 'args'>,
): Promise<ExecHandle> {
  return provider.exec(id, {
    command: ['/bin/bash', '-c', rootScript(script), `nexus-${script}`, ...args],
    user: 'root',
  });
}

/** Runs one of the agent's scripts to its end, whatever its exit code. @throws stream_failed, timeout */
export async function runScript(provider: Provider, id: string, run: ScriptRun): Promise<ScriptResult> {
  const { script, stdin = '', timeoutMs, onProgress } = run;
  const handle = await startScript(provider, id, run);
  const late = new NexusError('timeout', { what: `${script} in ${id}`, seconds: (timeoutMs ?? 0) / 1000 });
  let isLate = false;
  const deadline =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true;
          handle.kill('SIGKILL');
        }, timeoutMs);
  try {
    handle.stdin.end(stdin);
    const lines: string[] = [];
    let length = 0;
    const collectLines = async (): Promise<void> => {
      for await (const line of readLines(handle.stdout)) {
        if (line.startsWith(progressKey)) onProgress?.(line.slice(progressKey.length));
        else lines.push(line);
        // Each line takes more than its text.
        length += line.length + 32;
        if (length > maxOutputLength)
          throw new NexusError('stream_failed', { reason: `${script} in ${id} has no end` });
      }
    };
    const [stderr] = await Promise.all([readSome(handle.stderr, maxErrorBytes), collectLines()]);
    const exitCode = await handle.exitCode;
    if (isLate) throw late;
    return { exitCode, lines, stderr };
  } catch (error) {
    handle.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}
