import type { Observation } from '../contract/control-protocol.ts';
import { withoutInstance } from '../core/plan/without-instance.ts';
import { findInstance, type CommandContext, type FoundInstance } from './commands/command-context.ts';
import { runScript } from './guest/run-script.ts';
import { noFacts, parseFacts, type GuestFacts } from './marks.ts';

const factsTimeoutMs = 30_000;

/** What is, of one workspace: one look at the engine, and one inside when it runs. @throws provider_unavailable, stream_failed, timeout */
export async function observeWorkspace(context: CommandContext, id: string): Promise<Observation> {
  const found = await findInstance(context, id);
  if (!found) return withoutInstance(id, context.machine);
  const facts = found.instance.state === 'running' ? await readFacts(found) : noFacts;
  return describe(context, found, facts);
}

async function readFacts({ provider, instance }: FoundInstance): Promise<GuestFacts> {
  const { lines } = await runScript(provider, instance.id, { script: 'facts', timeoutMs: factsTimeoutMs });
  return parseFacts(lines);
}

/** The observation of an instance whose facts a command has just read. */
export async function describe(
  context: CommandContext,
  { provider, instance }: FoundInstance,
  facts: GuestFacts,
): Promise<Observation> {
  const { id } = instance;
  const isRunning = instance.state === 'running';
  if (isRunning && facts.units.length > 0) context.monitors.watch(provider, instance);
  return {
    workspace_id: id,
    instance: isRunning ? 'running' : 'stopped',
    provider: provider.name,
    address: instance.address,
    machine: context.machine,
    base: asBase((await context.records.read(id)) ?? facts.base),
    configured: facts.configured && facts.sshdListens,
    host_key: facts.hostKey,
    clone: facts.clone,
    config: facts.config,
    hooks_done: [...facts.hooksDone],
    services: isRunning ? context.monitors.report(id, facts.units) : [],
  };
}

function asBase(mark: GuestFacts['base']): Observation['base'] {
  return mark && { image: mark.image, packages: [...mark.packages] };
}
