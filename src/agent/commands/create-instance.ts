import { providerNamed, type Executor } from './command-context.ts';
import { paths } from '../guest/workspace-paths.ts';
import { noFacts } from '../marks.ts';
import { describe, observeWorkspace } from '../observe-workspace.ts';

/** The record is written first: whatever happens, an instance that is there has one. */
export const createInstance: Executor<'create_instance'> = async (command, context, { progress, signal }) => {
  const { workspace_id: id, image, packages, hostname, limits } = command;
  const provider = providerNamed(context, command.provider);
  if (await provider.inspect(id)) return observeWorkspace(context, id);
  const base = await provider.ensureBase({ image, packages }, { onProgress: progress, signal });
  await context.records.write(id, { image, packages });
  const source = await context.gitDesk.open(id);
  const instance = await provider.create({
    id,
    base,
    hostname,
    folder: { source, path: paths.agent },
    limits: {
      cpu: limits.cpu,
      memoryBytes: limits.memory_bytes,
      diskBytes: limits.disk_bytes,
      processes: limits.processes,
    },
  });
  if (instance.state !== 'running') context.neverStarted.add(id);
  return describe(context, { provider, instance }, noFacts);
};
