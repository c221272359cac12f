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
import { watchInstances, type SeenInstance } from './instance-watch.ts';
import { openJournal } from './journal.ts';
import { probeProviders } from './provider-health.ts';
import type { Provider } from './providers/provider.ts';
import { createMonitors } from './services/monitors.ts';
import { serveStream } from './streams/serve-stream.ts';
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

const probeEveryMs = 15_000;
const listEveryMs = 3_000;

export function createNodeAgent(options: {
  readonly name: string;
  readonly stateDir: string;
  readonly machine: string;
  readonly providers: readonly Provider[];
  readonly streamTarget: () => StreamTarget | null;
  readonly send: (message: PeerToServer) => boolean;
  readonly log: Logger;
}): NodeAgent {
  const { stateDir, machine, providers, send, log } = options;
  const monitors = createMonitors({
    onReports: (workspace_id, services) => send({ type: 'services', workspace_id, services }),
    log,
  });
  const gitDesk = createGitDesk({
    folder: join(stateDir, 'git'),
    onRejected: (workspace_id) => send({ type: 'git_rejected', workspace_id }),
    log,
  });
  void gitDesk.reopen();
  const context: CommandContext = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    machine,
    records: createWorkspaceRecords(join(stateDir, 'workspaces')),
    monitors,
    gitDesk,
    log,
    neverStarted: new Set(),
  };
  const dispatcher = createDispatcher({
    execute: (command, execution) => executeCommand(command, context, execution),
    send,
    journal: openJournal(join(stateDir, 'journal')),
    log,
  });
  const health = probeProviders(providers, { everyMs: probeEveryMs });
  const takeNews = createInstanceNews({
    lookInto: (id) => observeWorkspace(context, id),
    forget: (id) => monitors.forget(id),
    log,
  });
  function onChange(seen: readonly SeenInstance[]): void {
    tellInstances(seen);
    takeNews(seen);
  }
  /** An engine that went away or came back is told of at once. */
  function onLook(answered: boolean): void {
    const wasWell = health.last?.every(({ ok }) => ok);
    if (wasWell !== undefined && wasWell !== answered) void health.refresh().then(tellHealth);
  }
  const instances = watchInstances(providers, { everyMs: listEveryMs, onChange, onLook, log });
  const streams = parkStreams({
    target: options.streamTarget,
    node: options.name,
    onStream: (socket, request) => void serveStream(socket, request, context),
    log,
  });
  function tellInstances(seen: readonly SeenInstance[]): void {
    send({
      type: 'instances',
      instances: seen.map(({ instance: { id, state } }) => ({
        workspace_id: id,
        state: state === 'running' ? 'running' : 'stopped',
      })),
    });
  }

  function tellHealth(found: ProviderHealth[]): void {
    send({ type: 'heartbeat', providers: found });
  }

  return {
    get health() {
      return health.last;
    },
    take(message) {
      if (message.type === 'command') dispatcher.take(message.id, message.command);
      else if (message.type === 'forget') dispatcher.forget(message.ids);
      else if (message.type === 'git_credentials') gitDesk.take(message.credentials);
      else if (message.type === 'keep') dispatcher.keepOnly(message.ids);
    },
    announce() {
      if (health.last) tellHealth(health.last);
      else void health.refresh().then(tellHealth);
      if (instances.last) tellInstances(instances.last);
    },
    retarget: () => streams.retarget(),
    async [Symbol.asyncDispose]() {
      health[Symbol.dispose]();
      await Promise.all([instances[Symbol.asyncDispose](), streams[Symbol.asyncDispose]()]);
      await gitDesk[Symbol.asyncDispose]();
      await monitors[Symbol.asyncDispose]();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
    },
  };
}
