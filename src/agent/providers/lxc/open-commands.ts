/**
 * The marks of the commands that run inside instances, a file each: an agent that is killed leaves the children of its
 * commands running, of whose output nobody is left to know. Its successor ends them. What a command that has ended left
 * behind on purpose, a daemon say, has the same mark and stays.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalMarked } from './signal-tree.ts';

export type OpenCommands = {
  begin(mark: string): void;
  end(mark: string): void;
};

/** Where nobody comes after a kill, as with the set-up of a node. */
export const forgetfulCommands: OpenCommands = { begin: () => undefined, end: () => undefined };

/** `left` resolves when the commands of an agent that was killed have been ended. */
export function openCommandsIn(folder: string): OpenCommands & { readonly left: Promise<void> } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const end = (mark: string): void => rmSync(join(folder, mark), { force: true });
  async function endAll(marks: readonly string[]): Promise<void> {
    for (const mark of marks) {
      await signalMarked(mark, 'SIGKILL');
      end(mark);
    }
  }
  return {
    begin: (mark) => writeFileSync(join(folder, mark), '', { mode: 0o600 }),
    end,
    left: endAll(readdirSync(folder)),
  };
}
