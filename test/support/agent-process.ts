/** Runs an agent as a process of its own: `agent-process.ts JSON-OF-OPTIONS`. */
import { runAgentProcess } from '../../src/agent/process.ts';
import type { AgentOptions } from '../../src/agent/run.ts';
import { createLogger } from '../../src/lib/log.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<AgentOptions, 'signal' | 'log'>;
await runAgentProcess({ ...options, log: createLogger({ level: 'info', name: 'agent' }) });
