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
/** The last line of each script (guest-lib.sh): an engine under load may lose the output of one that ends quickly. */
const endLine = 'end';
/** From here on exit codes are the engine's or the shell's: the script was killed, or never began. */
const firstForeignExitCode = 126;
/** What was killed has ended by then, or its engine has lost it. */
const killedWithinMs = 5_000;
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
  function end(): void {
    isLate = true;
    handle.kill('SIGKILL');
    deadline = setTimeout(() => lost.reject(late), killedWithinMs);
  }
  const lost = Promise.withResolvers<never>();
  let deadline = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
  try {
    handle.stdin.end(stdin);
    const lines: string[] = [];
    let isWhole = false;
    let length = 0;
    const collectLines = async (): Promise<void> => {
      for await (const line of readLines(handle.stdout)) {
        if (line.startsWith(progressKey)) onProgress?.(line.slice(progressKey.length));
        else if (line === endLine) isWhole = true;
        else lines.push(line);
        // Each line takes more than its text.
        length += line.length + 32;
        if (length > maxOutputLength)
          throw new NexusError('stream_failed', { reason: `${script} in ${id} has no end` });
      }
    };
    const outcome = Promise.all([readSome(handle.stderr, maxErrorBytes), handle.exitCode, collectLines()]);
    const [stderr, exitCode] = await Promise.race([outcome, lost.promise]);
    if (isLate) throw late;
    if (!isWhole && exitCode < firstForeignExitCode)
      throw new NexusError('stream_failed', { reason: `${id}: the engine lost the output of ${script}` });
    return { exitCode, lines, stderr };
  } catch (error) {
    handle.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}
