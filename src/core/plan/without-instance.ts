import type { Observation } from '../../contract/control-protocol.ts';

/** What is seen of a workspace that has no instance. @param machine `machineId()` of the node */
export function withoutInstance(workspaceId: string, machine: string): Observation {
  return {
    workspace_id: workspaceId,
    instance: 'absent',
    provider: null,
    address: null,
    machine,
    base: null,
    configured: false,
    host_key: null,
    clone: null,
    config: null,
    hooks_done: [],
    services: [],
  };
}
