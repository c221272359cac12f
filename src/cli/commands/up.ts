import { ServerUnreachable } from '../../contract/api-client.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { CliError, usageError } from '../cli-error.ts';
import { cloneOption, defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { editorResult, noEditor } from '../editor/connect-editor.ts';
import { editorOption } from '../editor/editor-option.ts';
import { openEditor } from '../editor/open-workspace.ts';
import { exitCodes } from '../exit-codes.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { setUserConfigValue } from '../files/user-config-file.ts';
import { parseSourceOptions, providerOption } from '../repository/source-options.ts';
import { connectWithout } from '../server/connect.ts';
import { serverUrl } from '../server/find-server.ts';
import { shellQuote } from '../terminal/format.ts';
import { printJson } from '../terminal/print.ts';
import { goUp } from '../up/up-journey.ts';
import { upSummaryText } from '../up/up-summary.ts';

export const up = defineCommand({
  description:
    'From a repository to your open editor: signs you in, sets up your SSH key, forks what you may not push to, makes the workspace, waits for its services and opens it. What is done already is skipped.',
  examples: [
    'nexus up alice/my-project --server https://nexus.example.com',
    'nexus up https://github.com/my-org/shop/pull/12',
    'nexus up my-org/shop --clone ~/src/shop',
    'nexus up .',
  ],
  configure(command) {
    command
      .argument('[repo]', 'owner/name, a GitHub URL, any git URL, or a folder (default: this folder)')
      .option('--server <server>', 'the server, which is remembered')
      .option('--name <name>', "the workspace's name (default: the repository's)")
      .option('--branch <branch>', 'a branch, a tag or a commit')
      .addOption(providerOption())
      .option('--image <image>', 'the image, e.g. debian:12')
      .option('--include-changes', 'take the uncommitted changes of a folder along')
      .option('--no-fork', "do not fork somebody else's repository")
      .option(...cloneOption)
      .addOption(editorOption())
      .option('--no-editor', 'open no editor')
      .option('-y, --yes', 'replace another registered SSH key without asking')
      .option(...jsonOption);
  },
  parse(typed) {
    const source = parseSourceOptions(typed);
    const { clone } = source;
    if (typeof clone === 'string' && typed.operands.length === 0)
      throw usageError(`No repository is named: ${clone} is the folder of --clone.`, {
        next: `nexus up ${clone} --clone`,
      });
    return {
      ...source,
      repository: typed.operands[0] ?? '.',
      server: textOption(typed, 'server'),
      open: typed.options['editor'] !== false,
      editor: textOption(typed, 'editor'),
      yes: flagOption(typed, 'yes'),
      json: flagOption(typed, 'json'),
    };
  },
  failure: ({ repository }) => `Could not bring up ${repository}`,
  interrupt: 'own',
  async run({ server, json, ...options }, outer) {
    const context = await atServer(outer, { server, repository: options.repository });
    const result = await goUp(context, options);
    const { view, found, clone } = result;
    if (json) {
      printJson(context.stdout, { ...view, ...(clone === null ? {} : { clone }), ...editorResult(view, result) });
      return 0;
    }
    if (context.stderr.isTerminal) context.stderr.write('\n');
    context.stdout.write(upSummaryText(result, { output: context.stdout, nowMs: Date.now() }));
    if (options.open && found === null) context.stderr.write(`! No editor was found: ${noEditor}\n`);
    // One that takes this terminal comes last, and only where there is one.
    const isHere = found?.editor.place === 'terminal' && context.stdin.isTTY === true;
    return isHere ? openEditor(context, found, view) : 0;
  },
});

/** The server that was named is the one from now on, if it is one. */
async function atServer(
  context: CliContext,
  { server, repository }: { server: string | undefined; repository: string },
): Promise<CliContext> {
  if (server === undefined) return context;
  const url = serverUrl(server, context.env['NEXUS_SERVER_PORT']);
  const inner = { ...context, env: { ...context.env, NEXUS_SERVER: url } };
  const client = await connectWithout(inner);
  try {
    await client.call('getSignIn');
  } catch (thrown) {
    if (!(thrown instanceof ServerUnreachable) || isLoopback(new URL(url).hostname)) throw thrown;
    throw new CliError(thrown.message, {
      exitCode: exitCodes.serverUnreachable,
      // It is not remembered, so other commands are told of it; a name alone was asked without TLS.
      next: /^https?:\/\//.test(server)
        ? `NEXUS_SERVER=${url} nexus doctor`
        : `nexus up ${shellQuote(repository)} --server https://${server}`,
      cause: thrown,
    });
  }
  await setUserConfigValue(nexusPaths(context.env).configFile, ['server'], url);
  return inner;
}
