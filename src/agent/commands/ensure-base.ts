import { providerNamed, type Executor } from './command-context.ts';
import { observeWorkspace } from '../observe-workspace.ts';

export const ensureBase: Executor<'ensure_base'> = async (command, context, { progress, signal }) => {
  const { workspace_id: id, provider, image, packages } = command;
  await providerNamed(context, provider).ensureBase({ image, packages }, { onProgress: progress, signal });
  return observeWorkspace(context, id);
};
