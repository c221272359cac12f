/** `/repos/O/R…`. */
import { failure, json, notFound, page, withScope } from './answer.ts';
import type { Answer, ApiCall } from './answer.ts';
import { fileAt, hasWorkflows, lastCommit, revision, setRef } from './bare-repository.ts';
import { forkOf, makeFork } from './fork.ts';
import { branch, contentFile, fullRepository, gitRef, pullRequest, repositorySummary } from './repository-shapes.ts';
import { accountOf, permissionOf, rootOf, visibleRepository } from './world.ts';
import type { Account, Repository } from './world.ts';

export function repository(call: ApiCall): Answer {
  const found = asked(call);
  return found === undefined ? notFound() : json(200, fullRepository(found, viewerOf(call)));
}

export function listForks(call: ApiCall): Answer {
  const original = asked(call);
  if (original === undefined) return notFound();
  const forks = call.world.repositories.filter((one) => one.parent === original && one.hiddenFor === 0);
  return json(
    200,
    page(forks, call).map((one) => repositorySummary(one, viewerOf(call))),
  );
}

export function createFork(call: ApiCall): Answer | Promise<Answer> {
  const original = asked(call);
  if (original === undefined) return notFound();
  return withScope(call, original.private ? ['repo'] : ['public_repo', 'repo'], async () => {
    const owner = forkOwner(call);
    if (original.owner === owner || rootOf(original).owner === owner) {
      // An account cannot have both: GitHub answers with the one that it has.
      const own = original.owner === owner ? original : rootOf(original);
      return json(202, fullRepository(own, viewerOf(call)));
    }
    if ((await revision(original.folder, original.defaultBranch)) === null)
      return failure(
        403,
        'The repository exists, but it contains no Git content. Empty repositories cannot be forked.',
      );
    const name = call.body['name'];
    const fork =
      forkOf(call.world, original, owner) ??
      (await makeFork(call.world, original, { owner, ...(typeof name === 'string' ? { name } : {}), now: call.now }));
    return json(202, fullRepository(fork, viewerOf(call)));
  });
}

function forkOwner({ world, account, body }: ApiCall): Account {
  const { organization } = body;
  return typeof organization === 'string' ? accountOf(world, organization) : account;
}

export async function branchOf(call: ApiCall): Promise<Answer> {
  const found = asked(call);
  const name = call.params['branch'] ?? '';
  const commit = found === undefined ? null : await lastCommit(found.folder, name);
  if (found === undefined) return notFound();
  return commit === null ? failure(404, 'Branch not found') : json(200, branch({ name, commit }, found, call.base));
}

export async function contentsOf(call: ApiCall): Promise<Answer> {
  const found = asked(call);
  if (found === undefined) return notFound();
  const path = call.params['path'] ?? '';
  const blob = await fileAt(found.folder, call.query.get('ref') ?? found.defaultBranch, path);
  return blob === null ? notFound() : json(200, contentFile(path, blob, found, call.base));
}

/** A commit of any repository of the network will do, as at GitHub. */
export function createRef(call: ApiCall): Answer | Promise<Answer> {
  const found = asked(call);
  if (found === undefined) return notFound();
  return withScope(call, found.private ? ['repo'] : ['public_repo', 'repo'], async () => {
    if (permissionOf(found, call.account) === 'read') return notFound();
    const { ref, sha } = call.body;
    if (typeof ref !== 'string' || typeof sha !== 'string' || !/^refs\/.+\/.+/.test(ref))
      return failure(422, "Reference name must start with 'refs' and have at least two slashes.");
    if ((await revision(found.folder, ref)) !== null) return failure(422, 'Reference already exists');
    const network = call.world.repositories.filter((one) => rootOf(one) === rootOf(found));
    for (const { folder } of network) {
      if ((await revision(folder, sha)) === null) continue;
      if (call.token.scopes?.includes('workflow') === false && (await hasWorkflows(folder, sha)))
        return failure(422, 'refusing to allow an OAuth App to create or update workflow without `workflow` scope');
      await setRef(found.folder, { from: folder, ref, sha });
      return json(201, gitRef(found, { ref, sha }, call.base));
    }
    return failure(422, 'Object does not exist');
  });
}

export async function pull(call: ApiCall): Promise<Answer> {
  const into = asked(call);
  const found = into?.pulls.find(({ number }) => String(number) === call.params['number']);
  if (into === undefined || found === undefined) return notFound();
  const head = await lastCommit(found.head.folder, found.branch);
  const baseSha = await revision(into.folder, into.defaultBranch);
  if (head === null || baseSha === null) return notFound();
  return json(200, pullRequest(found, { ...viewerOf(call), into, head, baseSha }));
}

/** Only what the scopes let it see, too: without `repo`, nothing private. */
function asked({ world, params, account, token }: ApiCall): Repository | undefined {
  const { owner = '', name = '' } = params;
  const found = visibleRepository(world, { owner, name, account });
  const hidden = found?.private && token.scopes !== null && !token.scopes.includes('repo');
  return hidden ? undefined : found;
}

function viewerOf({ world, account, base }: ApiCall): {
  world: ApiCall['world'];
  viewer: Account;
  base: ApiCall['base'];
} {
  return { world, viewer: account, base };
}
