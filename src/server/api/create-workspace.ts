/** A new workspace: one row, its SSH port and its first event in one transaction. The rest is the reconciler's. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { NexusError } from '../../contract/errors.ts';
import type { FieldProblem } from '../../contract/error-catalogue/request-errors.ts';
import { invalidRequest } from '../../contract/field-problems.ts';
import { newId } from '../../contract/ids.ts';
import type { ServiceSpec } from '../../contract/service-spec.ts';
import type { CreateWorkspaceRequest } from '../../contract/workspace.ts';
import type { ProviderHealth } from '../../contract/node.ts';
import { dependencyOrder } from '../../core/graph.ts';
import { nearest } from '../../core/nearest.ts';
import { refuseFull, refuseUnplaceable } from '../../core/placement.ts';
import { appendEvent } from '../store/events.ts';
import { findAnswer, keepAnswer, pruneAnswers } from '../store/idempotency.ts';
import { listNodes } from '../store/nodes.ts';
import { takePort } from '../store/ports.ts';
import type { UserRow, WorkspaceRow } from '../store/schema.ts';
import { replaceServices } from '../store/services.ts';
import type { Db, Tx } from '../store/store.ts';
import { countWorkspacesOf, findWorkspaceByName, insertWorkspace, updateWorkspace } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import { bearerToken } from './authenticate-request.ts';
import type { Handler } from './handler.ts';
import { ensureUser, refuseOtherUser } from './users.ts';
import { startedView } from './workspace-view.ts';

const estimatedSeconds = 30;
const answersKeptMs = 24 * 3600 * 1000;
const longestKey = 255;

type Answer = ReturnType<typeof startedView>;

export function createWorkspaceHandler({
  store,
  config,
  reconciler,
  checkRepository,
  now,
  peers,
}: Pick<AppDeps, 'store' | 'config' | 'reconciler' | 'checkRepository' | 'now' | 'peers'>): Handler<'createWorkspace'> {
  return async ({ body, caller, request }) => {
    refuseOtherUser(body, caller);
    checkServices(body.services ?? []);
    const key = idempotencyKey(request.headers);
    // Outside of the transaction, which others wait for; what has its answer already needs no GitHub.
    if (!(await isDecided(store.db, { user: caller.user, name: body.workspace_name, key, since: keptSince(now()) })))
      await checkRepository(body.repo, bearerToken(request.headers.authorization));
    const answer = await store.transaction(async (tx) => {
      const owner = await ensureUser(tx, caller);
      const create = async (): Promise<Answer> =>
        startedView(await insert(tx, owner, body, { config, peers }), estimatedSeconds);
      return key === undefined ? create() : once(tx, { userId: owner.id, key, request: body }, create);
    });
    reconciler.nudge(answer.workspace_id);
    return answer;
  };
}

/** Whether the answer is known without a look at the repository: the first answer again, or a name that is taken. */
async function isDecided(
  db: Db,
  { user, name, key, since }: { user: UserRow | undefined; name: string; key: string | undefined; since: string },
): Promise<boolean> {
  if (user === undefined) return false;
  if (key !== undefined && (await findAnswer(db, { userId: user.id, key, since }))) return true;
  return (await findWorkspaceByName(db, user.id, name)) !== undefined;
}

function keptSince(at: Date): string {
  return new Date(at.getTime() - answersKeptMs).toISOString();
}

async function insert(
  tx: Tx,
  owner: UserRow,
  request: CreateWorkspaceRequest,
  { config, peers }: Pick<AppDeps, 'config' | 'peers'>,
): Promise<WorkspaceRow> {
  const name = request.workspace_name;
  const existing = await findWorkspaceByName(tx, owner.id, name);
  if (existing)
    throw new NexusError('workspace_already_exists', {
      owner: owner.github_username,
      name,
      workspace_id: existing.id,
      status: existing.status,
    });
  const most = config.limits.workspaces_per_user;
  if ((await countWorkspacesOf(tx, owner.id)) >= most) {
    const reason = `${owner.github_username} has ${most} workspaces, the most that one user may have here`;
    throw new NexusError('insufficient_node_resources', { reason });
  }
  const provider = request.provider ?? config.defaults.provider;
  await refuseWithoutNode(tx, provider, { config, peers });
  const row = await insertWorkspace(tx, {
    id: newId('ws'),
    owner_id: owner.id,
    name,
    want: 'running',
    status: 'pending',
    provider,
    image: request.image ?? config.defaults.image,
    packages_json: JSON.stringify(request.packages ?? []),
    request_json: JSON.stringify(request),
  });
  const wish = { pool: 'ssh', range: config.ports.ssh, workspaceId: row.id, service: null, targetPort: 22 } as const;
  const sshPort = await takePort(tx, wish);
  await updateWorkspace(tx, row.id, { ssh_port: sshPort });
  await replaceServices(tx, row.id, request.services ?? []);
  await appendEvent(tx, { workspace_id: row.id, type: 'status', data: { status: 'pending', step: null, error: null } });
  return { ...row, ssh_port: sshPort };
}

/**
 * The node that the server starts itself counts from the start, though it joins a moment later.
 * @throws no_available_nodes when none could ever take the workspace, disk_full when none has room for it
 */
async function refuseWithoutNode(
  tx: Tx,
  provider: ProviderHealth['name'],
  { config, peers }: Pick<AppDeps, 'config' | 'peers'>,
): Promise<void> {
  const rows = await listNodes(tx, 'agent');
  if (config.node.embedded && rows.every((row) => row.name !== config.node.name)) return;
  const nodes = rows.map(({ name, draining, providers_json }) => ({
    name,
    draining: draining === 1,
    providers: JSON.parse(providers_json) as ProviderHealth[],
    connected: peers.nodeConnected(name),
    workspaces: 0,
  }));
  refuseUnplaceable(nodes, provider);
  refuseFull(nodes, provider);
}

/** The first answer to the same request under the same key, however often it comes. */
async function once(
  tx: Tx,
  { userId, key, request }: { userId: string; key: string; request: CreateWorkspaceRequest },
  create: () => Promise<Answer>,
): Promise<Answer> {
  const since = keptSince(new Date(tx.at));
  await pruneAnswers(tx, since);
  const request_hash = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const kept = await findAnswer(tx, { userId, key, since });
  if (kept && kept.request_hash !== request_hash)
    throw invalidRequest([{ path: 'Idempotency-Key', problem: 'was used for another request within 24 hours' }]);
  if (kept) return JSON.parse(kept.response_json) as Answer;
  const answer = await create();
  await keepAnswer(tx, { user_id: userId, key, request_hash, status: 202, response_json: JSON.stringify(answer) });
  return answer;
}

function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key.length > 0 && key.length <= longestKey) return key;
  throw invalidRequest([{ path: 'Idempotency-Key', problem: `must have 1 to ${longestKey} characters` }]);
}

/** @throws invalid_request (unknown and repeated names), dependency_cycle */
function checkServices(services: readonly ServiceSpec[]): void {
  const names = services.map(({ name }) => name);
  const problems: FieldProblem[] = [];
  for (const [index, { name, depends_on }] of services.entries()) {
    if (names.indexOf(name) !== index)
      problems.push({ path: `services[${index}].name`, problem: `${name} is there twice` });
    for (const [at, needed] of depends_on.entries()) {
      if (names.includes(needed)) continue;
      const [meant] = nearest(needed, names);
      const problem = `there is no service ${needed}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
      problems.push({ path: `services[${index}].depends_on[${at}]`, problem });
    }
  }
  if (problems.length > 0) throw invalidRequest(problems);
  dependencyOrder(new Map(services.map(({ name, depends_on }) => [name, depends_on])));
}
