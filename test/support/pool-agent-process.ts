/** Runs an agent whose workspaces are on a pool of its own: `pool-agent-process.ts POOL JSON-OF-OPTIONS`. */
import { runAgentProcess } from '../../src/agent/process.ts';
import { createLxcProvider } from '../../src/agent/providers/lxc/lxc-provider.ts';
import type { AgentOptions } from '../../src/agent/run.ts';
import { createLogger } from '../../src/lib/log.ts';

const [, , pool, json = '{}'] = process.argv;
const options = JSON.parse(json) as Omit<AgentOptions, 'signal' | 'log' | 'createProviders'>;
await runAgentProcess({
  ...options,
  createProviders: (clusterId) => [createLxcProvider({ clusterId, pool, relayCommand: options.relayCommand })],
  log: createLogger({ level: 'info', name: 'agent' }),
});
