import { applyNetworkRules } from './apply-network-rules.ts';
import { parseRange, type AddressRange } from './address-range.ts';
import type { EngineClient } from './engine-client.ts';
import { configuredNetwork } from './engine-project.ts';
import { layout } from './layout.ts';

/** The network of a node's workspaces, as it is at each call: the node may be set up anew. */
export type WorkspaceNetwork = {
  /** Of their addresses. @throws provider_unavailable */
  readonly range: () => Promise<AddressRange>;
  /** Puts the host's rules in place, without which no workspace runs. @throws provider_unavailable */
  readonly protect: () => Promise<void>;
};

/** @param choices what is absent is as the node was set up */
export function workspaceNetwork(
  engine: EngineClient,
  choices: { readonly range?: string | undefined; readonly reach?: readonly string[] | undefined },
): WorkspaceNetwork {
  async function read(): Promise<{ range: AddressRange; reach: readonly string[] }> {
    const configured = await configuredNetwork(engine);
    const range = parseRange(choices.range ?? configured?.range ?? layout.range);
    return { range, reach: choices.reach ?? configured?.reach ?? [] };
  }
  return {
    range: async () => (await read()).range,
    async protect() {
      const { range, reach } = await read();
      await applyNetworkRules({ range: range.cidr, reach });
    },
  };
}
