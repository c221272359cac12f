import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { openLog } from './child-log.ts';
import { noteFileOf, writeNote } from './child-note.ts';
import type { ChildOptions, Held } from './child-options.ts';
import type { ChildSpec } from './find-child.ts';

/** Starts it as a process that outlives the server. Its pid is 0 when that failed; `gone` resolves then, too. */
export async function startChild(
  spec: ChildSpec,
  options: ChildOptions,
  { onExit }: { readonly onExit: (livedMs: number) => void },
): Promise<Held> {
  const { folder, version, log } = options;
  const { role, args } = spec;
  const [command = '', ...prefix] = options.programCommand;
  const token = await options.newJoinToken(role, spec.name);
  const output = openLog(spec.logFile);
  const child = spawn(command, [...prefix, ...args], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...spec.env, NEXUS_JOIN_TOKEN: token },
  });
  closeSync(output);
  const startedAt = performance.now();
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      log.error({ err: error, role }, 'it could not be started');
      resolve();
    });
    child.once('exit', (code, signal) => {
      log.warn({ role, code, signal }, 'it exited');
      onExit(performance.now() - startedAt);
      resolve();
    });
  });
  child.unref();
  const pid = child.pid ?? 0;
  if (pid > 0) await writeNote(noteFileOf(folder, role), { pid, args, version, ending: false });
  log.info({ role, pid }, 'it was started');
  return { pid, gone };
}
