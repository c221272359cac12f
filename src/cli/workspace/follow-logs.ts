/** Logs that go on until Ctrl-C or the stop of the workspace, over restarts of server, node and engine, each line once. */
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { endlessPatience, persist } from './follow-events.ts';

/** Failures of what is between the server and the workspace. */
const passing: readonly ErrorCode[] = ['stream_failed', 'node_unreachable', 'provider_unavailable'];

type Wanted = {
  readonly workspace: WorkspaceView;
  readonly query: { readonly lines: number; readonly service?: string };
};

/** @throws what the server says before the first answer; later failures are waited out */
export async function followLogs(
  { interrupt: signal, stdout, stderr }: Pick<CliContext, 'interrupt' | 'stdout' | 'stderr'>,
  client: Client,
  { workspace, query }: Wanted,
): Promise<void> {
  let { lines } = query;
  let lastEventId: string | undefined;
  let hasBegun = false;
  let isTold = false;
  const onOpen = (): void => {
    if (isTold) stderr.write('! The connection is back\n');
    isTold = false;
    hasBegun = true;
  };
  async function follow(works: () => void): Promise<never> {
    const resume = lastEventId === undefined ? {} : { lastEventId };
    const options = { ...query, ...resume, lines, signal, onOpen };
    for await (const { line, id } of client.followLogs(workspace.workspace_id, options)) {
      works();
      lines = 0;
      if (id !== null) lastEventId = id;
      stdout.write(`${line}\n`);
    }
    throw new StreamEnded();
  }
  const onAway = (error: unknown): void => {
    // What has ended in good order may go on at once, or be over.
    if (isTold || error instanceof StreamEnded || isOver(error)) return;
    stderr.write('! The connection was lost; the logs go on when it is back\n');
    isTold = true;
  };
  const mayPass = (error: unknown): boolean => hasBegun && mayComeBack(error);
  try {
    await persist(follow, { signal, onAway, mayPass, patience: endlessPatience });
  } catch (error) {
    if (signal.aborted) return;
    if (!(hasBegun && isOver(error))) throw error;
    stderr.write(`! ${workspace.name} is not running (it is ${error.details.status}).\n`);
  }
}

/** By a server that is shut down, or with the workspace: it does not say which. */
class StreamEnded extends Error {}

function mayComeBack(error: unknown): boolean {
  if (error instanceof StreamEnded) return true;
  if (!(error instanceof NexusError)) return false;
  // One that is restarted is soon there again.
  return passing.includes(error.code) || (isOver(error) && error.details.status === 'stopping');
}

function isOver(error: unknown): error is NexusError<'workspace_not_running'> {
  return error instanceof NexusError && error.code === 'workspace_not_running';
}
