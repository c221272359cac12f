import { NexusError } from '../../contract/errors.ts';
import { cloneFailureReason } from '../git/clone-failure.ts';
import { hideCredentials } from '../git/hide-credentials.ts';
import { cloneUnit, jobUnitText } from '../guest/job-unit.ts';
import { runJob } from '../guest/run-job.ts';
import { plainScript } from '../guest/scripts.ts';
import { paths } from '../guest/workspace-paths.ts';
import { describe } from '../observe-workspace.ts';
import { runningInstance, type Executor } from './command-context.ts';
import { ownFailure } from './still-running.ts';

/** @throws clone_failed, workspace_not_running */
export const clone: Executor<'clone'> = async (command, context, { progress }) => {
  const { workspace_id: id, url, ref, upload, upstream_url } = command;
  const found = await runningInstance(context, id);
  const script = `${paths.boot}/clone.sh`;
  const markScript = `${paths.boot}/clone-mark.sh`;
  const unit = jobUnitText({
    description: "Clone of this workspace's repository",
    folder: '/home/dev',
    command: `exec bash ${script}`,
    afterwards: ['/bin/bash', markScript],
    env: {
      CLONE_URL: url,
      CLONE_REF: ref ?? '',
      CLONE_UPSTREAM: upstream_url ?? '',
      CLONE_BUNDLE: upload ? paths.bundle : '',
    },
    identifier: 'nexus-clone',
  });
  const outcome = await runJob(found.provider, id, {
    unit: cloneUnit,
    mark: `${paths.marks}/clone`,
    files: [
      { path: script, content: plainScript('clone') },
      { path: markScript, content: plainScript('clone-mark') },
      { path: `${paths.units}/${cloneUnit}`, content: unit },
    ],
    onOutput: (line) => progress(hideCredentials(line)),
  });
  if (outcome !== 'stopping' && outcome.done) return describe(context, found, outcome.facts);
  const failure = await ownFailure(context, id, outcome);
  const output = failure.output.map(hideCredentials);
  throw new NexusError('clone_failed', {
    url: hideCredentials(url),
    reason: cloneFailureReason(output),
    output: output.slice(-20),
  });
};
