import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { isProcessAlive } from '../../lib/process-alive.ts';
import { connectedVersion, goneBehindOurBack } from './child-connection.ts';
import { noteFileOf, readNote, readPid } from './child-note.ts';
import type { ChildOptions, Held } from './child-options.ts';
import { endChild } from './end-child.ts';
import { findChild, type ChildSpec } from './find-child.ts';

/** The longest wait of a peer between two tries to connect, and some more. */
const adoptWithinMs = 12_000;

/** Takes over a process of an earlier server. Null: there is none that is of use; one of another kind was told to end. */
export async function adoptChild(spec: ChildSpec, options: ChildOptions, stopping: AbortSignal): Promise<Held | null> {
  const { hub, log } = options;
  const noted = await readPid(spec.stateFile);
  const pid = noted !== null && isOurs(noted, spec) ? noted : findChild(spec);
  if (pid === null) return null;
  const note = await readNote(noteFileOf(options.folder, spec.role));
  if (note?.pid === pid) {
    if (note.ending) return null;
    if (!isDeepStrictEqual(note.args, spec.args) || note.version !== options.version) {
      await endChild(spec, pid, options);
      return null;
    }
  }
  const child = { name: spec.name, pid };
  const deadline = AbortSignal.timeout(options.adoptWithinMs ?? adoptWithinMs);
  const version = await connectedVersion(hub, child, AbortSignal.any([deadline, stopping]));
  if (version === null) return null;
  if (version !== options.version) {
    await endChild(spec, pid, options);
    return null;
  }
  log.info({ role: spec.role, pid }, 'it is running already');
  return { pid, gone: goneBehindOurBack(hub, child, stopping) };
}

/** After a reboot another process may have the id: where there is a /proc, its arguments tell. */
function isOurs(pid: number, spec: ChildSpec): boolean {
  if (!isProcessAlive(pid)) return false;
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return spec.args.slice(0, 2).every((arg) => args.includes(arg));
  } catch {
    return true;
  }
}
