import type { ServiceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { hasInclude } from '../ssh/include-line.ts';

/** Commands, most useful first. */
export async function suggestNextSteps(
  context: Pick<CliContext, 'env'>,
  workspace: { name: string; registered: boolean; services: readonly ServiceView[] },
): Promise<string[]> {
  const paths = nexusPaths(context.env);
  const ownConfig = (await readOptionalFile(paths.userSshConfigFile)) ?? '';
  return [
    ...(workspace.registered ? [] : ['nexus ssh setup']),
    ...workspace.services.filter(isInTrouble).map(({ name }) => `nexus workspace logs ${workspace.name} ${name}`),
    ...(hasInclude(ownConfig, paths.sshConfigFile)
      ? [`ssh nexus-${workspace.name}`]
      : ['nexus ssh config', `nexus ssh ${workspace.name}`]),
    `nexus workspace logs ${workspace.name} --follow`,
    `nexus workspace exec ${workspace.name} -- git status`,
    `nexus workspace down ${workspace.name}`,
  ];
}

/** Itself, not for another's sake. */
function isInTrouble({ status, error }: ServiceView): boolean {
  return status === 'unhealthy' || (status === 'error' && error?.error !== 'dependency_failed');
}
