/**
 * Ids of people are unique only where they come from: user 1001 of this machine, of GitHub and of a GitHub Enterprise
 * Server are three people. So the users of a data folder are of one source, and another one finds no workspaces of theirs.
 */
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { findSetting, putSetting } from '../store/settings.ts';
import type { Store } from '../store/store.ts';
import { deleteAllUsers, findAnyUser } from '../store/users.ts';
import { countWorkspaces } from '../store/workspaces.ts';

const sourceSetting = 'users_of';

/** @throws config_invalid while there are workspaces of another source's users; without any, those users are forgotten */
export async function claimUsers(store: Store, config: Pick<ServerConfig, 'auth' | 'github'>): Promise<void> {
  const source = sourceOf(config);
  await store.transaction(async (tx) => {
    // Folders of before this setting are all of local mode.
    const known = (await findSetting(tx, sourceSetting)) ?? ((await findAnyUser(tx)) ? 'local' : source);
    if (known !== source) {
      const workspaces = await countWorkspaces(tx);
      if (workspaces > 0) throw otherUsers(known, workspaces);
      await deleteAllUsers(tx);
    }
    await putSetting(tx, sourceSetting, source);
  });
}

function sourceOf({ auth, github }: Pick<ServerConfig, 'auth' | 'github'>): string {
  if (auth.mode === 'github') return `github ${new URL(github.api_url).href}`;
  return auth.mode === 'oidc' ? `oidc ${auth.oidc?.issuer}` : 'local';
}

function otherUsers(known: string, workspaces: number): NexusError {
  const problem = `data_dir has ${workspaces} workspaces of users of "${known}", who are not the same people; go back to that, delete the workspaces, and change it then, or use another data_dir`;
  return new NexusError('config_invalid', {
    file: 'configuration',
    problems: [{ path: 'auth.mode', problem }],
    of: 'server',
  });
}
