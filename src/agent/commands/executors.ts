import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import { clone } from './clone.ts';
import type { CommandContext, Executor, Execution } from './command-context.ts';
import { configure } from './configure.ts';
import { createInstance } from './create-instance.ts';
import { ensureBase } from './ensure-base.ts';
import { observe } from './observe.ts';
import { readConfig } from './read-config.ts';
import { removeInstance } from './remove-instance.ts';
import { runHook } from './run-hook.ts';
import { startInstance } from './start-instance.ts';
import { startService } from './start-service.ts';
import { stopInstance } from './stop-instance.ts';
import { stopService } from './stop-service.ts';

/** Who carries out what: a new command does not compile until it has its place here. */
const executors: { readonly [Do in AgentCommand['do']]: Executor<Do> } = {
  observe,
  ensure_base: ensureBase,
  create_instance: createInstance,
  start_instance: startInstance,
  configure,
  clone,
  read_config: readConfig,
  run_hook: runHook,
  start_service: startService,
  stop_service: stopService,
  stop_instance: stopInstance,
  remove_instance: removeInstance,
};

export function executeCommand<Do extends AgentCommand['do']>(
  command: Extract<AgentCommand, { do: Do }>,
  context: CommandContext,
  execution: Execution,
): Promise<Observation> {
  const executor: Executor<Do> = executors[command.do];
  return executor(command, context, execution);
}
