import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { hasInclude } from '../ssh/include-line.ts';

/** Commands, most useful first. */
export async function suggestNextSteps(
  context: Pick<CliContext, 'env'>,
  workspace: { name: string; registered: boolean },
): Promise<string[]> {
  const paths = nexusPaths(context.env);
  const ownConfig = (await readOptionalFile(paths.userSshConfigFile)) ?? '';
  return [
    ...(workspace.registered ? [] : ['nexus ssh setup']),
    ...(hasInclude(ownConfig, paths.sshConfigFile)
      ? [`ssh nexus-${workspace.name}`]
      : ['nexus ssh config', `nexus ssh ${workspace.name}`]),
    `nexus workspace logs ${workspace.name} --follow`,
    `nexus workspace exec ${workspace.name} -- git status`,
    `nexus workspace down ${workspace.name}`,
  ];
}
