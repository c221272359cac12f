/** Runs a gateway as a process of its own: `gateway-process.ts JSON-OF-OPTIONS`. */
import { createLogger } from '../../src/lib/log.ts';
import { runGatewayProcess } from '../../src/gateway/process.ts';
import type { GatewayOptions } from '../../src/gateway/run.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<GatewayOptions, 'signal' | 'log'>;
await runGatewayProcess({ ...options, log: createLogger({ level: 'info', name: 'gateway' }) });
