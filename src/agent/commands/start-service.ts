import { NexusError } from '../../contract/errors.ts';
import { packFiles } from '../guest/guest-files.ts';
import { runScript } from '../guest/run-script.ts';
import { plainScript } from '../guest/scripts.ts';
import { folderInRepository } from '../guest/workspace-paths.ts';
import { parseFacts, valuesOf } from '../marks.ts';
import { describe } from '../observe-workspace.ts';
import { exitText } from '../services/health.ts';
import { serviceFiles } from '../services/service-files.ts';
import { runningInstance, type Executor } from './command-context.ts';
import { stillRunning } from './still-running.ts';

const startTimeoutMs = 120_000;

/** Returns when the service's process runs, not when it is healthy. @throws service_start_failed, workspace_not_running */
export const startService: Executor<'start_service'> = async ({ workspace_id: id, service, env }, context) => {
  const found = await runningInstance(context, id);
  const { exitCode, lines, stderr } = await runScript(found.provider, id, {
    script: 'service-start',
    args: [service.name, folderInRepository(service.cwd)],
    stdin: packFiles(serviceFiles(service, env, { backoff: plainScript('backoff') })),
    timeoutMs: startTimeoutMs,
  });
  const facts = parseFacts(lines);
  if (exitCode !== 0) {
    await stillRunning(context, id);
    const [unit] = facts.units;
    const reason = unit ? exitText(unit) : (valuesOf(lines, 'problem')[0]?.join(' ') ?? 'systemd did not start it');
    throw new NexusError('service_start_failed', { service: service.name, reason }, { cause: stderr });
  }
  const seen = await describe(context, found, facts);
  context.monitors.look(id);
  return seen;
};
