import { runProgram, timedOut } from './run-program.ts';
import type { ProgramResult } from './run-program.ts';

/** Over a shared connection that is well it takes milliseconds. */
const sharedWithinMs = 3_000;

/**
 * Gets in with the written configuration, as an editor will. A shared connection that died in a laptop's sleep would
 * keep everybody waiting until OpenSSH has noticed, a minute later: it is ended when a new one gets in meanwhile.
 * @param options.asks whether there is somebody who can be asked for a passphrase
 */
export async function tryConnection(
  configFile: string,
  alias: string,
  options: { readonly asks: boolean },
): Promise<ProgramResult> {
  const ssh = (args: readonly string[], limits?: { timeoutMs: number }): Promise<ProgramResult> =>
    runProgram('ssh', ['-F', configFile, ...args], limits);
  const batch = ['-o', 'BatchMode=yes'];
  const test = ['-o', 'ConnectTimeout=10', alias, 'true'];
  const isShared = (await ssh(['-O', 'check', alias], { timeoutMs: sharedWithinMs })).exitCode === 0;
  if (isShared) {
    const tried = await ssh([...batch, ...test], { timeoutMs: sharedWithinMs });
    if (tried.exitCode !== timedOut) return tried;
    const alone = await ssh([...batch, '-o', 'ControlPath=none', ...test]);
    if (alone.exitCode !== 0) return alone;
    await ssh(['-O', 'exit', alias], { timeoutMs: sharedWithinMs });
  }
  return ssh([...(options.asks ? [] : batch), ...test]);
}
