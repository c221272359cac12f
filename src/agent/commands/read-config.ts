import { NexusError } from '../../contract/errors.ts';
import { repositoryFiles, repositoryReading } from '../../core/config/repository-files.ts';
import { resolveRepository } from '../../core/config/resolve-repository.ts';
import { packFiles } from '../guest/guest-files.ts';
import { readRepository } from '../guest/read-repository.ts';
import { runScript } from '../guest/run-script.ts';
import { paths } from '../guest/workspace-paths.ts';
import { parseFacts } from '../marks.ts';
import { describe } from '../observe-workspace.ts';
import { runningInstance, type Executor } from './command-context.ts';
import { stillRunning } from './still-running.ts';

const saveTimeoutMs = 30_000;

/** @throws config_invalid, dependency_cycle, clone_failed when there is no repository, workspace_not_running */
export const readConfig: Executor<'read_config'> = async ({ workspace_id: id }, context) => {
  const found = await runningInstance(context, id);
  const repository = await readRepository(found.provider, id, { reading: repositoryReading, choose: repositoryFiles });
  if (!repository) {
    await stillRunning(context, id);
    throw new NexusError('clone_failed', { url: paths.repository, reason: 'there is no repository in the workspace' });
  }
  const config = resolveRepository(repository.files, repository.listing, {
    executableHooks: repository.executableHooks,
    provider: found.provider.name,
  });
  const { lines } = await runScript(found.provider, id, {
    script: 'save-config',
    stdin: packFiles([{ path: `${paths.boot}/config`, content: `${JSON.stringify(config)}\n` }]),
    timeoutMs: saveTimeoutMs,
  });
  return { ...(await describe(context, found, parseFacts(lines))), config };
};
