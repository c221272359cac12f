/**
 * The gateway and the agent of a single machine: processes of their own that outlive the server. One that is there
 * already is taken over, one that ends is started again, one of another version is replaced.
 */
import { spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { createBackoff } from '../lib/backoff.ts';
import type { Logger } from '../lib/log.ts';
import { isProcessAlive } from '../lib/process-alive.ts';
import { capLog, openLog } from './child-log.ts';
import type { Hub } from './control/hub.ts';
import { findChild, type ChildSpec } from './find-child.ts';

export type ChildOptions = {
  /** The program, e.g. `[process.execPath]` of the compiled file. */
  readonly programCommand: readonly string[];
  readonly version: string;
  /** Where the children find the server: one that was started with another URL is replaced. */
  readonly serverUrl: string;
  /** Where it is noted who was started how. */
  readonly folder: string;
  readonly hub: Pick<Hub, 'events' | 'versionOf'>;
  readonly newJoinToken: (role: ChildSpec['role'], name: string) => Promise<string>;
  readonly log: Logger;
  /** For tests. */
  readonly backoff?: { firstMs: number; maxMs: number };
  readonly adoptWithinMs?: number;
};

export type Child = {
  /** Null while it is not running. */
  readonly pid: number | null;
  /** Tells it to end. An agent is waited for; a gateway lives on until its open connections end. */
  stop(): Promise<void>;
};

/** What is known of a process that this or an earlier server started. */
type Started = { readonly pid: number; readonly url: string; readonly version: string; readonly ending: boolean };
/** `gone` resolves when the process has ended, or is not to be counted on any more. */
type Held = { readonly pid: number; readonly gone: Promise<void> };

const defaultBackoff = { firstMs: 200, maxMs: 30_000 };
/** The longest wait of a peer between two tries to connect, and some more. */
const adoptWithinMs = 12_000;
const agentEndsWithinMs = 10_000;
const lookEveryMs = 250;
const capLogEveryMs = 60_000;

export function superviseChild(spec: ChildSpec, options: ChildOptions): Child {
  const { hub, log } = options;
  const stopping = new AbortController();
  const backoff = createBackoff(options.backoff ?? defaultBackoff);
  const noteFile = join(options.folder, `${spec.role}-process.json`);
  let held: Held | null = null;
  const cappingLog = setInterval(keepLogShort, capLogEveryMs);
  const supervision = keep().catch((error: unknown) =>
    log.error({ err: error, role: spec.role }, 'the supervision ended'),
  );

  function keepLogShort(): void {
    try {
      capLog(spec.logFile);
    } catch (error) {
      log.warn({ err: error, role: spec.role }, 'its log could not be put aside');
    }
  }

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      held = await adoptOrStart();
      if (held) await Promise.race([held.gone, aborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      if (held) log.warn({ role: spec.role }, 'it ended, and is started again');
      held = null;
      await sleep(backoff.next(), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** Null on a failure, of a disk that is full say: it is tried again. */
  async function adoptOrStart(): Promise<Held | null> {
    try {
      return (await adopt()) ?? (await start());
    } catch (error) {
      log.error({ err: error, role: spec.role }, 'it could not be started');
      return null;
    }
  }

  async function adopt(): Promise<Held | null> {
    const noted = await readPid(spec.stateFile);
    const pid = noted !== null && isOurs(noted, spec) ? noted : findChild(spec);
    if (pid === null) return null;
    const note = await readNote(noteFile);
    if (note?.pid === pid) {
      if (note.ending) return null;
      if (note.url !== options.serverUrl || note.version !== options.version) {
        await end(pid);
        return null;
      }
    }
    const version = await connected(pid, AbortSignal.timeout(options.adoptWithinMs ?? adoptWithinMs));
    if (version === null) return null;
    if (version !== options.version) {
      await end(pid);
      return null;
    }
    log.info({ role: spec.role, pid }, 'it is running already');
    return { pid, gone: goneBehindOurBack(pid) };
  }

  /** The version by which it connected, or null when it did not, or has ended. */
  function connected(pid: number, deadline: AbortSignal): Promise<string | null> {
    return new Promise((resolve) => {
      const finish = (version: string | null): void => {
        unlisten();
        clearInterval(looking);
        resolve(version);
      };
      const looking = setInterval(() => void (isProcessAlive(pid) || finish(null)), lookEveryMs);
      const unlisten = hub.events.listen((event) => {
        if (event.type === 'connected' && event.name === spec.name) finish(event.version);
      });
      for (const signal of [deadline, stopping.signal]) signal.addEventListener('abort', () => finish(null));
      const version = hub.versionOf(spec.name);
      if (version !== null) finish(version);
    });
  }

  /** Another server's child cannot be waited for: what is noticed is that its connection is lost. */
  function goneBehindOurBack(pid: number): Promise<void> {
    return new Promise((resolve) => {
      const unlisten = hub.events.listen((event) => {
        if (event.type !== 'disconnected' || event.name !== spec.name) return;
        void (async () => {
          while (hub.versionOf(spec.name) === null && isProcessAlive(pid) && !stopping.signal.aborted)
            await sleep(lookEveryMs);
          if (isProcessAlive(pid)) return;
          unlisten();
          resolve();
        })();
      });
    });
  }

  async function start(): Promise<Held> {
    const [command = '', ...prefix] = options.programCommand;
    const token = await options.newJoinToken(spec.role, spec.name);
    const output = openLog(spec.logFile);
    const child = spawn(command, [...prefix, ...spec.args], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...spec.env, NEXUS_JOIN_TOKEN: token },
    });
    closeSync(output);
    const startedAt = performance.now();
    const gone = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        log.error({ err: error, role: spec.role }, 'it could not be started');
        resolve();
      });
      child.once('exit', (code, signal) => {
        log.warn({ role: spec.role, code, signal }, 'it exited');
        if (performance.now() - startedAt > defaultBackoff.maxMs) backoff.reset();
        resolve();
      });
    });
    child.unref();
    const pid = child.pid ?? 0;
    if (pid > 0) await note(pid, { ending: false });
    log.info({ role: spec.role, pid }, 'it was started');
    return { pid, gone };
  }

  async function note(pid: number, { ending }: { ending: boolean }): Promise<void> {
    const started: Started = { pid, url: options.serverUrl, version: options.version, ending };
    await writeFileAtomic(noteFile, `${JSON.stringify(started)}\n`, { mode: 0o600 });
  }

  async function end(pid: number): Promise<void> {
    await note(pid, { ending: true });
    log.info({ role: spec.role, pid }, 'it is told to end');
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      return; // it has ended by itself
    }
    if (spec.role !== 'agent') return;
    const deadline = performance.now() + agentEndsWithinMs;
    while (isProcessAlive(pid) && performance.now() < deadline) await sleep(lookEveryMs / 5);
  }

  return {
    get pid() {
      return held?.pid ?? null;
    },
    async stop() {
      clearInterval(cappingLog);
      stopping.abort();
      await supervision;
      if (held && held.pid > 0 && isProcessAlive(held.pid)) await end(held.pid);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function readPid(file: string): Promise<number | null> {
  const { pid } = await readJson<{ pid?: unknown }>(file, {});
  return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 ? pid : null;
}

function readNote(file: string): Promise<Started | null> {
  return readJson<Started | null>(file, null);
}

async function readJson<T>(file: string, otherwise: T): Promise<T> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return otherwise;
  }
}

/** After a reboot another process may have the id: where there is a /proc, its arguments tell. */
function isOurs(pid: number, spec: ChildSpec): boolean {
  if (!isProcessAlive(pid)) return false;
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return spec.args.slice(0, 2).every((arg) => args.includes(arg));
  } catch {
    return true;
  }
}
