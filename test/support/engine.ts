/** What the engine itself says, by its own command: the outcome that tests check. */
import { execa } from 'execa';

export type EngineInstance = { readonly name: string; readonly status: string };

/** The instances of a workspace: one, or none. */
export async function engineInstances(workspaceId: string): Promise<EngineInstance[]> {
  const name = `nexus-${workspaceId.replace(/^ws-/, '')}`;
  const { stdout } = await execa('lxc', ['list', '--project', 'nexus', '--format', 'json', `^${name}$`]);
  return (JSON.parse(stdout) as EngineInstance[]).map((instance) => ({ name: instance.name, status: instance.status }));
}

/** Every instance that carries the cluster's id. */
export async function clusterInstances(clusterId: string): Promise<string[]> {
  const { stdout } = await execa('lxc', [
    'list',
    '--project',
    'nexus',
    '--format',
    'csv',
    '--columns',
    'n',
    `user.nexus.cluster=${clusterId}`,
  ]);
  return stdout.split('\n').filter(Boolean);
}
