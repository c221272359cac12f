import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AgentCommand } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { CommandContext } from './command-context.ts';
import { executeCommand } from './executors.ts';

const workspace_id = 'ws-abcdefghijkl';
const base = { provider: 'lxc' as const, image: 'debian:12', packages: ['sl'] };
const limits = { cpu: 1, memory_bytes: 1, disk_bytes: 1, processes: 1 };

/** A node whose builds never end. */
function slowNode(): CommandContext {
  const provider: Partial<Provider> = {
    inspect: async () => null,
    ensureBase: (_spec, { signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
  };
  return { providers: new Map([['lxc', provider]]) } as unknown as CommandContext;
}

const commands: readonly AgentCommand[] = [
  { do: 'ensure_base', workspace_id, ...base },
  { do: 'create_instance', workspace_id, ...base, hostname: 'shop', limits },
];
for (const command of commands) {
  it(`${command.do} waits for a base until its workspace is stopped or removed`, async () => {
    const ending = new AbortController();
    const done = executeCommand(command, slowNode(), { progress: () => undefined, signal: ending.signal });
    const reason = new NexusError('workspace_not_running', { name: workspace_id, status: 'stopping' });
    setImmediate(() => ending.abort(reason));
    await assert.rejects(done, reason);
  });
}
