import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { refusal } from '../../core/lifecycle.ts';
import { plural } from '../terminal/format.ts';

/**
 * Prints how many files are changed, how many commits are on no remote and newer than the one that came first (a
 * folder that was sent has its older ones where it came from), and how many stashes there are.
 */
const script = `
git status --porcelain | wc -l
git rev-list --count HEAD --branches --not --remotes "$1"
git stash list | wc -l
`;
const timeoutSeconds = 10;

/** What would be lost with the workspace, a sentence each. What cannot be asked is said to be unknown. */
export async function unsavedWork(client: Client, workspace: WorkspaceView, signal: AbortSignal): Promise<string[]> {
  if (workspace.repository.commit === null) return [];
  if (refusal(workspace.status, 'exec', workspace) !== null) {
    return [`${workspace.name} is ${workspace.status}, so it was not looked at for uncommitted or unpushed work.`];
  }
  const command = ['sh', '-c', script, 'sh', workspace.repository.commit];
  try {
    const answer = await client.call('exec', {
      params: { id: workspace.workspace_id },
      body: { command, timeout_seconds: timeoutSeconds },
      signal,
    });
    return answer.exit_code === 0 ? sentences(workspace.name, answer.stdout) : unknown(workspace.name);
  } catch {
    signal.throwIfAborted();
    return unknown(workspace.name);
  }
}

function sentences(name: string, output: string): string[] {
  const [changed = 0, unpushed = 0, stashed = 0] = output.split('\n').map(Number);
  return [
    ...(changed > 0 ? [`${name} has ${plural(changed, 'file')} with uncommitted changes.`] : []),
    ...(unpushed > 0
      ? [`${name} has ${plural(unpushed, 'commit')} that ${unpushed === 1 ? 'is' : 'are'} not pushed.`]
      : []),
    ...(stashed > 0 ? [`${name} has ${plural(stashed, 'stash', 'stashes')}.`] : []),
  ];
}

function unknown(name: string): string[] {
  return [`${name} could not be looked at for uncommitted or unpushed work.`];
}
