import { NexusError } from '../../contract/errors.ts';
import { runScript } from '../guest/run-script.ts';
import { parseFacts, valuesOf } from '../marks.ts';
import { describe, observeWorkspace } from '../observe-workspace.ts';
import { findInstance, type Executor } from './command-context.ts';
import { stillRunning } from './still-running.ts';

/** TimeoutStopSec of the unit, and room to spare. */
const stopTimeoutMs = 30_000;

/** The service's whole process tree is gone afterwards. In a workspace that does not run it is. @throws service_start_failed */
export const stopService: Executor<'stop_service'> = async ({ workspace_id: id, service, force }, context) => {
  const found = await findInstance(context, id);
  if (found?.instance.state !== 'running') return observeWorkspace(context, id);
  const { exitCode, lines, stderr } = await runScript(found.provider, id, {
    script: 'service-stop',
    args: [service, force ? 'yes' : 'no'],
    timeoutMs: stopTimeoutMs,
  });
  if (exitCode !== 0) {
    await stillRunning(context, id);
    const reason = `it does not stop: ${valuesOf(lines, 'problem')[0]?.join(' ') ?? stderr}`;
    throw new NexusError('service_start_failed', { service, reason });
  }
  const seen = await describe(context, found, parseFacts(lines));
  context.monitors.look(id);
  return seen;
};
