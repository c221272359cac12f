import type { AgentCommand } from '../../contract/control-protocol.ts';

const minutes = 60_000;

/**
 * How long an agent may take, at the utmost. It has stricter limits of its own with better reasons: this is for an
 * agent that is connected and hangs.
 */
export const commandTimeoutMs: Readonly<Record<AgentCommand['do'], number>> = {
  observe: 0.5 * minutes,
  ensure_base: 45 * minutes,
  create_instance: 10 * minutes,
  start_instance: 3 * minutes,
  configure: 3 * minutes,
  clone: 60 * minutes,
  read_config: 2 * minutes,
  run_hook: 120 * minutes,
  start_service: 2 * minutes,
  stop_service: 1 * minutes,
  stop_instance: 5 * minutes,
  remove_instance: 10 * minutes,
};
