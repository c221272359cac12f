import { runAgent, type AgentOptions } from './run.ts';

/**
 * Runs an agent for the life of this process. SIGTERM or SIGINT ends it, a second one at once. Resolves when it has
 * ended.
 * @throws the NexusError by which the server keeps the agent out
 */
export async function runAgentProcess(options: Omit<AgentOptions, 'signal'>): Promise<void> {
  const stopping = new AbortController();
  function onSignal(signal: NodeJS.Signals): void {
    if (stopping.signal.aborted) process.exit(0);
    options.log.info({ signal }, 'told to end');
    stopping.abort();
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    await runAgent({ ...options, signal: stopping.signal });
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}
