import { join } from 'node:path';
import { joinTokenHash, newJoinToken } from '../../contract/handshake.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import type { ChildOptions } from './child-options.ts';
import { superviseChild, type Child } from './supervise-child.ts';
import type { ChildSpec } from './find-child.ts';
import type { DataDir } from '../data-dir.ts';
import { insertJoinToken } from '../store/join-tokens.ts';
import type { Store } from '../store/store.ts';

const tokenLivesMs = 10 * 60_000;

/** The gateway and the agent that the configuration asks for on this machine. */
export function childSpecs(config: ServerConfig, dir: DataDir, serverUrl: string): ChildSpec[] {
  const { gateway, node, tls } = config;
  const env = tls ? { NODE_EXTRA_CA_CERTS: tls.cert } : {};
  const streams = ['--stream-host', gateway.stream_host, '--stream-port', String(gateway.stream_port)];
  const gatewayFlags = ['--server', serverUrl, '--state-dir', dir.gateway, '--host', gateway.host, ...streams];
  const gatewaySpec: ChildSpec = {
    role: 'gateway',
    name: 'gateway',
    args: ['gateway', 'run', ...gatewayFlags],
    stateFile: join(dir.gateway, 'gateway.json'),
    logFile: join(dir.logs, 'gateway.log'),
    env,
  };
  const agentSpec: ChildSpec = {
    role: 'agent',
    name: node.name,
    args: ['agent', 'start', '--server', serverUrl, '--state-dir', dir.agent, '--name', node.name],
    stateFile: join(dir.agent, 'agent.json'),
    logFile: join(dir.logs, 'agent.log'),
    env,
  };
  return [...(gateway.embedded ? [gatewaySpec] : []), ...(node.embedded ? [agentSpec] : [])];
}

export function startChildren(
  specs: readonly ChildSpec[],
  options: Omit<ChildOptions, 'newJoinToken'> & {
    readonly store: Store;
    readonly serverPublicKey: string;
    readonly now: () => Date;
  },
): { readonly children: readonly Child[]; stop(): Promise<void> } {
  const { store, serverPublicKey, now } = options;
  async function issueToken(role: ChildSpec['role'], name: string): Promise<string> {
    const token = newJoinToken(serverPublicKey);
    const expires_at = new Date(now().getTime() + tokenLivesMs).toISOString();
    await store.transaction((tx) => insertJoinToken(tx, { token_hash: joinTokenHash(token), role, name, expires_at }));
    return token;
  }
  const children = specs.map((spec) => superviseChild(spec, { ...options, newJoinToken: issueToken }));
  return {
    children,
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
    },
  };
}
