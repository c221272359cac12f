import { runGateway, type GatewayOptions } from './run.ts';

/**
 * Runs a gateway for the life of this process. The first SIGTERM or SIGINT lets it end its connections, the second
 * ends the process at once. Resolves when it has ended.
 * @throws the NexusError by which the server keeps the gateway out, or why it cannot listen
 */
export async function runGatewayProcess(options: Omit<GatewayOptions, 'signal'>): Promise<void> {
  const draining = new AbortController();
  function onSignal(signal: NodeJS.Signals): void {
    if (draining.signal.aborted) process.exit(0);
    options.log.info({ signal }, 'told to end');
    draining.abort();
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    const gateway = await runGateway({ ...options, signal: draining.signal });
    await gateway.ended;
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}
