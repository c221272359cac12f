import { Option } from 'commander';
import { workspaceId } from '../../contract/ids.ts';
import { failure, usageError } from '../cli-error.ts';
import { defineCommand, textOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { connect } from '../server/connect.ts';
import { connectWithSsh } from '../ssh/connect-with-ssh.ts';
import { resolveWorkspace } from '../workspace/resolve-workspace.ts';
import { joinStreams, openTunnel } from '../workspace/tunnel.ts';
import { called, connectToWorkspace, nameArgument } from '../workspace/workspace-command.ts';

const sshPort = 22;

export const sshConnect = defineCommand({
  description:
    "SSH into a workspace over the server's HTTP port: no SSH port needs to be open, and a stopped workspace is started first. Ends with ssh's exit code.",
  examples: ['nexus ssh my-project', 'nexus ssh my-project -- git status', 'nexus ssh setup', 'nexus ssh config'],
  configure(command) {
    command
      .argument(...nameArgument)
      .argument('[command...]', 'a command to run, after --')
      // The ProxyCommand of the SSH configuration that nexus writes.
      .addOption(new Option('--proxy <workspace>').hideHelp());
  },
  parse(typed) {
    const [name, ...words] = typed.operands;
    const proxy = textOption(typed, 'proxy');
    const command = [...words, ...(typed.afterDashes ?? [])];
    if (proxy !== undefined && (name !== undefined || command.length > 0))
      throw usageError('--proxy takes nothing more.');
    return { name, proxy, command };
  },
  failure: ({ name, proxy }) => `Could not reach ${called(proxy ?? name)} with SSH`,
  interrupt: 'own',
  async run({ name, proxy, command }, context) {
    if (proxy !== undefined) {
      await carryBytes(context, proxy);
      return;
    }
    const { client, workspace } = await connectToWorkspace(context, name);
    const { registered } = await client.call('whoAmI');
    if (!registered) throw failure('No SSH key of yours is registered.', { next: 'nexus ssh setup' });
    return connectWithSsh(context, client, { workspace, command });
  },
});

/** stdin and stdout are the two directions of the connection. */
async function carryBytes(context: CliContext, nameOrId: string): Promise<void> {
  const client = await connect(context);
  // ssh waits meanwhile, so an id is not looked up.
  const isId = workspaceId.safeParse(nameOrId).success;
  const id = isId ? nameOrId : (await resolveWorkspace(client, nameOrId, context.cwd)).workspace_id;
  const tunnel = await openTunnel(client, { workspaceId: id, port: sshPort }, { signal: context.interrupt });
  try {
    await joinStreams({ input: context.stdin, output: context.stdout.stream }, tunnel);
  } finally {
    context.stdin.destroy();
  }
}
