/** What takes all that a workspace can get. Each is a shell script of its own. */
import type { Cell } from './two-workspaces.ts';

export const hogs = {
  memory: `python3 -c '
kept = []
while True: kept.append(b"x" * 20_000_000)'`,
  processors: 'for one in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait',
  disk: 'mkdir -p /home/dev/hog; fallocate -l 300M /home/dev/hog/reserved; exec dd if=/dev/zero of=/home/dev/hog/file bs=1M',
  files: `python3 -c '
import os
for folder in range(1000):
    os.makedirs(f"/home/dev/hog/{folder}", exist_ok=True)
    for file in range(1000): open(f"/home/dev/hog/{folder}/{file}", "w").write("x" * 100)'`,
  processes: 'bomb() { bomb | bomb & }; while :; do bomb; done',
} as const;

/** In the background, until `stopHog`. */
export async function startHog(cell: Cell, script: string): Promise<void> {
  const started = await cell.shell(
    `systemd-run --quiet --unit hog --property TasksMax=infinity bash -c ${quoted(script)}`,
  );
  if (started.exitCode !== 0) throw new Error(`the hog did not start: ${started.stderr}`);
}

export async function stopHog(cell: Cell): Promise<void> {
  await cell.shell(
    'systemctl kill --signal KILL hog; systemctl stop hog; systemctl reset-failed hog; rm -rf /home/dev/hog',
  );
}

function quoted(script: string): string {
  return `'${script.replaceAll("'", String.raw`'\''`)}'`;
}
