/** Which workspace is meant: by name, by id, or left out where only one can be. */
import { basename } from 'node:path';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceSummary, WorkspaceView } from '../../contract/workspace.ts';
import { nearest } from '../../core/nearest.ts';
import { CliError, usageError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { askGit } from '../git/run-git.ts';
import { canonicalRepository, localOwner, ownerAndName } from '../git/repository-reference.ts';

const pageSize = 200;

/** Also those of others, for an administrator. */
export async function listAllWorkspaces(client: Client): Promise<WorkspaceSummary[]> {
  const all: WorkspaceSummary[] = [];
  for (;;) {
    const { workspaces, total } = await client.call('listWorkspaces', {
      query: { limit: pageSize, offset: all.length },
    });
    all.push(...workspaces);
    if (workspaces.length === 0 || all.length >= total) return all;
  }
}

/** The person's own alone; others' may have the same names. */
export async function listOwnWorkspaces(client: Client): Promise<WorkspaceSummary[]> {
  const [{ github_username }, all] = await Promise.all([client.call('whoAmI'), listAllWorkspaces(client)]);
  return all.filter(({ owner }) => owner === github_username);
}

/**
 * The workspace of that name or id; without one, the only workspace, or the only one of the repository that `cwd`
 * is a clone of.
 * @throws NexusError not_found with the nearest names; CliError when more than one could be meant
 */
export async function resolveWorkspace(
  client: Client,
  nameOrId: string | undefined,
  cwd: string,
): Promise<WorkspaceView> {
  const workspaces = await listAllWorkspaces(client);
  const found =
    nameOrId === undefined ? await onlyWorkspace(client, workspaces, cwd) : namedWorkspace(workspaces, nameOrId);
  return client.call('getWorkspace', { params: { id: found.workspace_id } });
}

function namedWorkspace(workspaces: readonly WorkspaceSummary[], nameOrId: string): WorkspaceSummary {
  const matches = workspaces.filter((w) => w.workspace_id === nameOrId || w.name === nameOrId);
  const [match] = matches;
  if (match === undefined) {
    const names = nearest(
      nameOrId,
      workspaces.map((w) => w.name),
    );
    throw new NexusError('not_found', { kind: 'workspace', name: nameOrId, nearest: names });
  }
  if (matches.length > 1) throw ambiguous(`There are several workspaces named ${nameOrId}`, matches);
  return match;
}

async function onlyWorkspace(
  client: Client,
  workspaces: readonly WorkspaceSummary[],
  cwd: string,
): Promise<WorkspaceSummary> {
  const [only] = workspaces;
  if (only === undefined) {
    throw new CliError('You have no workspaces yet.', {
      exitCode: exitCodes.notFound,
      next: 'nexus workspace create .',
    });
  }
  if (workspaces.length === 1) return only;
  const ofThisFolder = await workspacesOfFolder(client, workspaces, cwd);
  const [match] = ofThisFolder;
  if (match !== undefined && ofThisFolder.length === 1) return match;
  throw match === undefined
    ? ambiguous('Say which workspace', workspaces)
    : ambiguous('There are several workspaces of this repository', ofThisFolder);
}

/** Of the origin that the folder was cloned from; of a folder without one, those that it was sent to. */
async function workspacesOfFolder(
  client: Client,
  workspaces: readonly WorkspaceSummary[],
  cwd: string,
): Promise<WorkspaceSummary[]> {
  const [origin, topLevel] = await Promise.all([
    askGit(cwd, ['remote', 'get-url', 'origin']),
    askGit(cwd, ['rev-parse', '--show-toplevel']),
  ]);
  if (topLevel === null) return [];
  const here = origin === null ? null : canonicalRepository(origin);
  const { owner, name } = ownerAndName(`${localOwner}/${basename(topLevel)}`);
  const isOfFolder = ({ repository }: WorkspaceView): boolean =>
    here === null
      ? repository.owner === owner && repository.name === name
      : canonicalRepository(repository.url) === here;
  const views = await Promise.all(
    workspaces.map((w) => client.call('getWorkspace', { params: { id: w.workspace_id } })),
  );
  const ids = views.filter(isOfFolder).map((view) => view.workspace_id);
  return workspaces.filter((w) => ids.includes(w.workspace_id));
}

function ambiguous(why: string, workspaces: readonly WorkspaceSummary[]): CliError {
  const names = workspaces.map((w) => `${w.name} (${w.workspace_id}, ${w.owner})`);
  return usageError([`${why}:`, ...names].join('\n'), { next: 'nexus workspace list' });
}
