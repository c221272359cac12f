/** Takes the answer to a command into account: ends its operation and writes what it changed, in one transaction. */
import { isDeepStrictEqual } from 'node:util';
import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import type { ErrorBody } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import type { ResolvedConfig } from '../../contract/service-spec.ts';
import { adoptConfig } from '../../core/plan/adopt-config.ts';
import { isExposed } from '../../core/service-env.ts';
import { appendProgress } from '../store/events.ts';
import { endOperation } from '../store/operations.ts';
import { listPorts, releasePort, takePort } from '../store/ports.ts';
import type { OperationRow, WorkspacePatch, WorkspaceRow } from '../store/schema.ts';
import { replaceServices, updateService } from '../store/services.ts';
import type { Tx } from '../store/store.ts';
import { findWorkspace, updateWorkspace } from '../store/workspaces.ts';
import { configOf, requestOf } from './read-want.ts';

export type Answer = { readonly seen: Observation } | { readonly error: ErrorBody };
export type PortSettings = {
  readonly ports: ServerConfig['ports'];
  /** Ports that other processes of the gateway's host have. */
  readonly occupied: ReadonlySet<number>;
};

/** Returns whether the gateway's routes may have changed by it. */
export async function takeAnswer(
  tx: Tx,
  operation: OperationRow,
  command: AgentCommand,
  answer: Answer,
  settings: PortSettings,
): Promise<boolean> {
  await endOperation(tx, operation.id, 'error' in answer ? answer.error : null);
  const row = await findWorkspace(tx, operation.workspace_id);
  if (!row || 'error' in answer) return false;
  const { seen } = answer;
  let isRouteNew = await writeObservation(tx, row, seen);
  if (command.do === 'read_config' && seen.config && operation.generation === row.generation) {
    isRouteNew = (await adopt(tx, row, { ...seen, config: seen.config }, settings)) || isRouteNew;
  }
  return isRouteNew;
}

/** Writes what clients and the gateway want to know while the node is away. Returns whether the address changed. */
export async function writeObservation(tx: Tx, row: WorkspaceRow, seen: Observation): Promise<boolean> {
  const isAbsent = seen.instance === 'absent';
  const news = {
    // Before it runs nothing can be had there, and who asks too early waits for the answer of a dead address.
    address: seen.instance === 'running' ? (seen.address ?? row.address) : null,
    // A new instance has a new host key.
    host_key: isAbsent ? null : (seen.host_key ?? row.host_key),
    branch: seen.clone?.branch ?? row.branch,
    commit_id: seen.clone?.commit ?? row.commit_id,
  } satisfies WorkspacePatch;
  if (!isDeepStrictEqual({ ...row, ...news }, row)) await updateWorkspace(tx, row.id, news);
  return news.address !== row.address;
}

async function adopt(
  tx: Tx,
  row: WorkspaceRow,
  seen: Observation & { readonly config: ResolvedConfig },
  settings: PortSettings,
): Promise<boolean> {
  const adoption = adoptConfig({ image: row.image, request: requestOf(row), config: configOf(row) }, seen);
  if (adoption.kind === 'base') {
    const { image, packages } = adoption;
    await updateWorkspace(tx, row.id, { image, packages_json: JSON.stringify(packages) });
    return false;
  }
  const { config } = adoption;
  await updateWorkspace(tx, row.id, { config_json: JSON.stringify(config) });
  await replaceServices(tx, row.id, config.services);
  if (row.config_json === null) await appendProgress(tx, row.id, config.notes);
  return givePorts(tx, row.id, config, settings);
}

/** A host port for each exposed service, the same as before where it had one. Returns whether any changed. */
async function givePorts(
  tx: Tx,
  workspaceId: string,
  { services }: ResolvedConfig,
  { ports, occupied }: PortSettings,
): Promise<boolean> {
  const before = await listPorts(tx, workspaceId);
  for (const { port, service } of before) {
    if (service !== null && !services.some(({ name }) => name === service)) await releasePort(tx, port);
  }
  for (const spec of services) {
    if (spec.port === undefined || !isExposed(spec)) continue;
    const wish = {
      pool: 'services',
      range: ports.services,
      workspaceId,
      service: spec.name,
      targetPort: spec.port,
    } as const;
    const mapped_port = await takePort(tx, { ...wish, except: occupied });
    await updateService(tx, workspaceId, spec.name, { mapped_port });
  }
  return !isDeepStrictEqual(before, await listPorts(tx, workspaceId));
}
