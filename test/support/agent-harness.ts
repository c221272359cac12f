/** An agent as a process, and a server's end of its connections. */
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentCommand, CommandAnswer, Observation } from '../../src/contract/control-protocol.ts';
import { fromBody } from '../../src/contract/errors.ts';
import { newJoinToken } from '../../src/contract/handshake.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { startControlServer, type ControlServer } from './control-server.ts';
import { relayCommand } from './agent-lab.ts';

/** By default the sources on the runtime that runs the tests; a compiled program in its place is tried by hand. */
const program = process.env['NEXUS_TEST_AGENT']?.split(' ') ?? [
  process.execPath,
  join(import.meta.dirname, 'agent-process.ts'),
];

export type AgentProcess = {
  readonly pid: number;
  /** Its log so far. */
  readonly log: readonly string[];
  readonly exited: Promise<number | string>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string>;
};

export type AgentWorld = {
  readonly folder: string;
  readonly clusterId: string;
  readonly control: ControlServer;
  /** The first joins, the others are known. */
  start(options?: { welcomed: boolean }): Promise<AgentProcess>;
  /** Sends a command, and again after each welcome of the agent, as the server does. */
  command(id: string, command: AgentCommand): Promise<CommandAnswer>;
  /** @throws the agent's error */
  run(command: AgentCommand): Promise<Observation>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function agentWorld(): Promise<AgentWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-agent-'));
  const clusterId = `agent-test-${randomUUID().slice(0, 8)}`;
  const identity = await loadIdentity(join(folder, 'server.pem'));
  const control = await startControlServer({ identity, clusterId });
  const processes: AgentProcess[] = [];
  const stateDir = join(folder, 'agent');

  const world: AgentWorld = {
    folder,
    clusterId,
    control,
    async start({ welcomed } = { welcomed: true }) {
      const joinToken = processes.length === 0 ? newJoinToken(identity.publicKey) : undefined;
      const options = {
        serverUrl: control.url,
        name: 'node-1',
        stateDir,
        joinToken,
        version: 'test',
        relayCommand: relayCommand(),
      };
      const started = startProcess(options);
      processes.push(started);
      if (welcomed) await control.next('instances');
      return started;
    },
    async command(id, command) {
      const answered = control.next('answer', (answer) => answer.id === id);
      control.send({ type: 'command', id, command });
      return answered;
    },
    async run(command) {
      const answer = await world.command(randomUUID(), command);
      if (!answer.ok) throw fromBody(answer.error);
      return answer.seen;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((one) => one.kill('SIGTERM')));
      await control[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

function startProcess(options: unknown): AgentProcess {
  const [file = '', ...args] = program;
  const child = spawn(file, [...args, JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'pipe'] });
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    pid: child.pid ?? -1,
    log,
    exited,
    async kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
}
