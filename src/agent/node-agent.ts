/**
 * What an agent does for its cluster: carries out commands, serves streams, watches instances and services. It keeps
 * nothing that it could not read anew from the engine, the instances and its journal.
 */
import { join } from 'node:path';
import type { PeerToServer, ServerToPeer } from '../contract/control-protocol.ts';
import type { ProviderHealth } from '../contract/node.ts';
import { parkStreams } from '../contract/stream-parking.ts';
import type { StreamTarget } from '../contract/stream-client.ts';
import type { Logger } from '../lib/log.ts';
import type { CommandContext } from './commands/command-context.ts';
import { createDispatcher } from './commands/dispatcher.ts';
import { executeCommand } from './commands/executors.ts';
import { observeWorkspace } from './observe-workspace.ts';
import { createGitDesk } from './git/git-desk.ts';
import { createInstanceNews } from './instance-news.ts';
import { openJournal } from './journal.ts';
import type { Provider } from './providers/provider.ts';
import { createMonitors } from './services/monitors.ts';
import { serveStream } from './streams/serve-stream.ts';
import { watchNode } from './watch-node.ts';
import { createWorkspaceRecords } from './workspace-records.ts';

export type NodeAgent = {
  readonly health: ProviderHealth[] | undefined;
  take(message: ServerToPeer): void;
  /** The server (again) hears: it is told what there is. */
  announce(): void;
  /** Where streams are parked has changed. */
  retarget(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

type NodeAgentOptions = {
  readonly name: string;
  readonly stateDir: string;
  readonly machine: string;
  readonly providers: readonly Provider[];
  readonly streamTarget: () => StreamTarget | null;
  readonly send: (message: PeerToServer) => boolean;
  readonly log: Logger;
};

export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { stateDir, providers, send, log } = options;
  const context = createContext(options);
  const { monitors, gitDesk } = context;
  void gitDesk.reopen();
  const dispatcher = createDispatcher({
    execute: (command, execution) => executeCommand(command, context, execution),
    send,
    journal: openJournal(join(stateDir, 'journal')),
    log,
  });
  const watch = watchNode(providers, {
    send,
    onInstances: createInstanceNews({
      lookInto: (id) => observeWorkspace(context, id),
      forget: (id) => monitors.forget(id),
      log,
    }),
    log,
  });
  const streams = parkStreams({
    target: options.streamTarget,
    node: options.name,
    onStream: (socket, request) => void serveStream(socket, request, context),
    log,
  });

  return {
    get health() {
      return watch.health;
    },
    take(message) {
      if (message.type === 'command') dispatcher.take(message.id, message.command);
      else if (message.type === 'forget') dispatcher.forget(message.ids);
      else if (message.type === 'git_credentials') gitDesk.take(message.credentials);
      else if (message.type === 'keep') dispatcher.keepOnly(message.ids);
    },
    announce: () => watch.announce(),
    retarget: () => streams.retarget(),
    async [Symbol.asyncDispose]() {
      await Promise.all([watch[Symbol.asyncDispose](), streams[Symbol.asyncDispose]()]);
      await gitDesk[Symbol.asyncDispose]();
      await monitors[Symbol.asyncDispose]();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
    },
  };
}

function createContext({ stateDir, machine, providers, send, log }: NodeAgentOptions): CommandContext {
  return {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    machine,
    records: createWorkspaceRecords(join(stateDir, 'workspaces')),
    monitors: createMonitors({
      onReports: (workspace_id, services) => send({ type: 'services', workspace_id, services }),
      log,
    }),
    gitDesk: createGitDesk({
      folder: join(stateDir, 'git'),
      onRejected: (workspace_id) => send({ type: 'git_rejected', workspace_id }),
      log,
    }),
    log,
    neverStarted: new Set(),
  };
}
