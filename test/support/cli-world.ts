/**
 * The command line against the real HTTP API: a home folder of its own, and the program either as a process or within
 * this one, where a test can be its terminal and press Ctrl-C.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { CliContext } from '../../src/cli/context.ts';
import type { Roles } from '../../src/cli/roles.ts';
import { registry } from '../../src/cli/registry.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import type { Output } from '../../src/cli/terminal/output.ts';
import { createApiWorld } from './api-world.ts';
import type { ApiWorld, WorldOptions } from './api-world.ts';
import { sourceProgram } from './programs.ts';

export type CliResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Typed when a question is asked. */
  readonly keys?: string;
  /** Of this many columns; absent: no terminal. */
  readonly terminal?: number;
  readonly interrupt?: AbortController;
  readonly roles?: Partial<Roles>;
  /** Told what is on stdout and stderr so far, whenever there is more. */
  readonly onOutput?: (text: string) => void;
};

export type CliWorld = AsyncDisposable & {
  readonly api: ApiWorld;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Within this process. */
  run(args: readonly string[], options?: RunOptions): Promise<CliResult>;
  /** As a process of its own. */
  spawn(args: readonly string[], options?: Pick<RunOptions, 'env' | 'cwd' | 'input'>): Promise<CliResult>;
  git(folder: string, ...args: string[]): Promise<string>;
  /** A repository with one commit. */
  repository(name: string, files?: Readonly<Record<string, string>>): Promise<string>;
};

/** The roles that a test gives; any other fails it. */
function onlyRoles(given: Partial<Roles>): Roles {
  return new Proxy(given as Roles, {
    get(target, role: keyof Roles) {
      if (role in target) return target[role];
      throw new Error(`this test has no role ${role}`);
    },
  });
}

/** @param options.program what `spawn` runs; absent: the sources */
export async function createCliWorld({
  program = sourceProgram,
  api: apiOptions = {},
}: { program?: readonly string[]; api?: WorldOptions } = {}): Promise<CliWorld> {
  const api = await createApiWorld(apiOptions);
  const home = await mkdtemp(join(tmpdir(), 'nexus-cli-'));
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    NEXUS_HOME: join(home, '.nexus'),
    NEXUS_DATA_DIR: join(home, 'no-server'),
    NEXUS_SERVER: api.baseUrl,
    NEXUS_TOKEN: 'token-alice',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...(process.env['NODE_V8_COVERAGE'] ? { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] } : {}),
  };
  const git = (folder: string, ...args: string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main'];
    return new Promise((resolve, reject) => {
      execFile('git', ['-C', folder, ...identity, ...args], { env }, (error, stdout) => {
        if (error) reject(new Error(error.message));
        else resolve(stdout.trim());
      });
    });
  };
  return {
    api,
    home,
    env,
    git,
    run: (args, options = {}) =>
      runWithin(args, { ...options, env: { ...env, ...options.env }, cwd: options.cwd ?? home }),
    spawn: (args, options = {}) =>
      runProcess([...program, ...args], { ...options, env: { ...env, ...options.env }, cwd: options.cwd ?? home }),
    async repository(name, files = { 'index.html': '<h1>hello</h1>\n' }) {
      const folder = join(home, name);
      await mkdir(folder, { recursive: true });
      await git(folder, 'init', '--quiet');
      await writeFiles(folder, files);
      await git(folder, 'add', '--all');
      await git(folder, 'commit', '--quiet', '--message', 'first');
      return folder;
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Programs that note in the home folder, in `NAME.args`, how they were called. Returns the folder that they are in. */
export async function addPrograms({ home }: Pick<CliWorld, 'home'>, names: readonly string[]): Promise<string> {
  const bin = join(home, 'bin');
  await mkdir(bin);
  for (const name of names)
    await writeFile(join(bin, name), `#!/bin/sh\necho "$@" > '${home}/${name}.args'\n`, { mode: 0o755 });
  return bin;
}

type Prepared = RunOptions & { readonly env: Readonly<Record<string, string>>; readonly cwd: string };

async function runWithin(args: readonly string[], options: Prepared): Promise<CliResult> {
  const stdout = collector(options);
  let { keys } = options;
  const stderr = collector({
    ...options,
    onOutput(text) {
      options.onOutput?.(text);
      if (keys === undefined || !/\w\?/.test(text)) return;
      // The question is being drawn: whoever answers has seen it.
      setImmediate((typed: string) => stdin.write(typed), keys);
      keys = undefined;
    },
  });
  const stdin = Object.assign(
    new PassThrough(),
    options.terminal === undefined ? {} : { isTTY: true, setRawMode: () => undefined },
  );
  if (options.input !== undefined) stdin.end(options.input);
  const context: CliContext = {
    stdin,
    stdout: stdout.output,
    stderr: stderr.output,
    env: options.env,
    cwd: options.cwd,
    version: '1.0.0-test',
    programCommand: sourceProgram,
    roles: onlyRoles(options.roles ?? {}),
    interrupt: (options.interrupt ?? new AbortController()).signal,
  };
  const exitCode = await runCli(registry, args, context);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

function collector({ terminal, onOutput, env }: Prepared): { output: Output; text: () => string } {
  let text = '';
  const write = (chunk: string): void => {
    text += chunk;
    onOutput?.(text);
  };
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk.toString());
      done();
    },
  });
  const isTerminal = terminal !== undefined;
  const output: Output = {
    write,
    stream,
    isTerminal,
    hasColor: isTerminal && !env['NO_COLOR'],
    columns: () => terminal ?? Number.POSITIVE_INFINITY,
  };
  return { output, text: () => text };
}

function runProcess([file = '', ...args]: readonly string[], options: Prepared): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env: options.env, cwd: options.cwd }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
}
