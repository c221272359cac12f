import { runningInstance, type CommandContext } from './command-context.ts';

/** What ended because its workspace was stopped or removed did not fail by itself. @throws workspace_not_running, not_found */
export async function stillRunning(context: CommandContext, id: string): Promise<void> {
  await runningInstance(context, id);
}
