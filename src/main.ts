/** From the process to a role: arguments, streams, signals, exit code. The only module that knows every role. */
import type { CliContext } from './cli/context.ts';
import type { Roles } from './cli/roles.ts';
import { version } from './lib/version.ts';

// Bun's runtime, which the shipped file is made of, would turn our child processes into plain `bun` with it.
delete process.env['BUN_BE_BUN'];

/** How this very program is run again: the compiled file alone, or Node.js and the sources. */
const isCompiled = import.meta.url.includes('/$bunfs/');
const programCommand = isCompiled ? [process.execPath] : [process.execPath, import.meta.filename];

/** Each loads its role when it is called: a command should not wait for what it does not use. */
const roles: Roles = {
  async loadServerConfig(file) {
    const { loadConfig } = await import('./server/load-config.ts');
    return loadConfig({ file, env: process.env });
  },
  async runServer(options) {
    const { runServer } = await import('./server/run.ts');
    await runServer(options);
  },
  async runGateway(options) {
    const { runGatewayProcess } = await import('./gateway/process.ts');
    await runGatewayProcess({ ...options, log: await logOf('gateway') });
  },
  async runAgent(options) {
    const { runAgentProcess } = await import('./agent/process.ts');
    await runAgentProcess({ ...options, log: await logOf('agent') });
  },
  async runRelay(port) {
    const { runRelay } = await import('./agent/providers/lxc/relay.ts');
    return runRelay(port);
  },
  async setUpNode(options) {
    const { setUpNode } = await import('./agent/node-setup/set-up-node.ts');
    return setUpNode(options);
  },
  async checkNode() {
    const { checkNode } = await import('./agent/node-setup/check-node.ts');
    return checkNode();
  },
  async tearDownNode(options) {
    const { tearDownNode } = await import('./agent/node-setup/tear-down-node.ts');
    await tearDownNode(options);
  },
};

async function logOf(name: string) {
  const { createLogger } = await import('./lib/log.ts');
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  return createLogger({ name, level: levels.find((level) => level === process.env['NEXUS_LOG_LEVEL']) ?? 'info' });
}

/**
 * Aborted by the first Ctrl-C; the second ends the process. Made when a command first asks for it: a role that takes
 * signals itself never does.
 */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  });
  return controller.signal;
}

async function runCommand(args: readonly string[]): Promise<number> {
  const [{ keepLoopbackFromProxy }, { runCli }, { registry }, { createOutput }] = await Promise.all([
    import('./lib/loopback.ts'),
    import('./cli/run-cli.ts'),
    import('./cli/registry.ts'),
    import('./cli/terminal/output.ts'),
  ]);
  keepLoopbackFromProxy(process.env);
  let interrupt: AbortSignal | undefined;
  const context: CliContext = {
    get stdin() {
      return process.stdin;
    },
    stdout: createOutput(process.stdout, process.env),
    stderr: createOutput(process.stderr, process.env),
    env: process.env,
    cwd: process.cwd(),
    version,
    programCommand,
    roles,
    get interrupt() {
      return (interrupt ??= interruptSignal());
    },
  };
  return runCli(registry, args, context);
}

/** A reader that has seen enough, such as `head`, is no failure. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}

/** Connections that are kept alive for a next request would hold the process. */
function exitWhenWritten(exitCode: number): void {
  process.exitCode = exitCode;
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`nexus ${version}\n`);
} else {
  process.stdout.on('error', endWithReader);
  exitWhenWritten(await runCommand(args));
}
