import { NexusError } from '../../contract/errors.ts';
import type { HookName } from '../../contract/service-spec.ts';
import { hookUnit, jobUnitText } from '../guest/job-unit.ts';
import { runJob } from '../guest/run-job.ts';
import { paths } from '../guest/workspace-paths.ts';
import { describe } from '../observe-workspace.ts';
import { runningInstance, type Executor } from './command-context.ts';
import { ownFailure } from './still-running.ts';

const linesInError = 20;

/** @throws hook_failed, workspace_not_running */
export const runHook: Executor<'run_hook'> = async ({ workspace_id: id, hook, command }, context, { progress }) => {
  const found = await runningInstance(context, id);
  const mark = hookMark(hook);
  const unit = hookUnit(hook);
  const text = jobUnitText({
    description: `Hook ${hook} of this workspace`,
    folder: paths.repository,
    command: command ?? hookFileCommand(hook),
    afterwards: ['/usr/bin/touch', mark],
    env: { NEXUS_HOOK: hook },
    identifier: `nexus-hook-${hook}`,
  });
  const outcome = await runJob(found.provider, id, {
    unit,
    mark,
    files: [{ path: `${paths.units}/${unit}`, content: text }],
    onOutput: progress,
  });
  if (outcome !== 'stopping' && outcome.done) return describe(context, found, outcome.facts);
  const failure = await ownFailure(context, id, outcome);
  throw new NexusError('hook_failed', {
    hook,
    exit_code: failure.exitCode,
    output: failure.output.slice(-linesInError),
  });
};

/** `create` is for the life of the instance, the others for this boot. */
function hookMark(hook: HookName): string {
  return `${hook === 'create' ? paths.marks : paths.boot}/hooks/${hook}`;
}

/** A file that went away since the configuration was read has nothing to do. */
function hookFileCommand(hook: HookName): string {
  const file = `./.nexus/hooks/${hook}.sh`;
  return `[ -x ${file} ] || exit 0; exec ${file}`;
}
