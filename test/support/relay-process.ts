/** Runs a provider's relay as a process of its own: `relay-process.ts PORT`. */
import { runRelay } from '../../src/agent/providers/lxc/relay.ts';

process.exitCode = await runRelay(Number(process.argv[2]));
