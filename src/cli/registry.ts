/** Every command of the program, by its words. Only the file of the command that was asked for is loaded. */
import type { CommandNode } from './command-node.ts';

const workspace: readonly CommandNode[] = [
  {
    name: 'create',
    summary: 'Make a workspace from a repository',
    load: async () => (await import('./commands/workspace-create.ts')).workspaceCreate,
  },
  {
    name: 'list',
    aliases: ['ls'],
    summary: 'List your workspaces',
    load: async () => (await import('./commands/workspace-list.ts')).workspaceList,
  },
  {
    name: 'status',
    summary: 'Say what a workspace does, live with --watch',
    load: async () => (await import('./commands/workspace-status.ts')).workspaceStatus,
  },
  {
    name: 'show',
    summary: 'Show all of a workspace',
    load: async () => (await import('./commands/workspace-show.ts')).workspaceShow,
  },
  {
    name: 'up',
    summary: 'Start a stopped workspace',
    load: async () => (await import('./commands/workspace-up.ts')).workspaceUp,
  },
  {
    name: 'down',
    summary: 'Stop a workspace; its files stay',
    load: async () => (await import('./commands/workspace-down.ts')).workspaceDown,
  },
  {
    name: 'restart',
    summary: 'Stop and start a workspace',
    load: async () => (await import('./commands/workspace-restart.ts')).workspaceRestart,
  },
  {
    name: 'delete',
    aliases: ['rm'],
    summary: 'Delete a workspace and its files',
    load: async () => (await import('./commands/workspace-delete.ts')).workspaceDelete,
  },
  {
    name: 'setup-from-repo',
    summary: 'The same as nexus up',
    hidden: true,
    load: async () => (await import('./commands/up.ts')).up,
  },
  {
    name: 'connect',
    summary: 'Open your editor on a workspace',
    load: async () => (await import('./commands/workspace-connect.ts')).workspaceConnect,
  },
  {
    name: 'services',
    summary: 'Show services, their health and URLs',
    load: async () => (await import('./commands/workspace-services.ts')).workspaceServices,
  },
  {
    name: 'logs',
    summary: 'Print or follow logs',
    load: async () => (await import('./commands/workspace-logs.ts')).workspaceLogs,
  },
  {
    name: 'exec',
    summary: 'Run a command inside',
    load: async () => (await import('./commands/workspace-exec.ts')).workspaceExec,
  },
  {
    name: 'port',
    summary: 'Forward a port to this machine',
    load: async () => (await import('./commands/workspace-port.ts')).workspacePort,
  },
];

const ssh: readonly CommandNode[] = [
  {
    name: 'setup',
    summary: 'Find or make your SSH key and register it',
    load: async () => (await import('./commands/ssh-setup.ts')).sshSetup,
  },
  {
    name: 'config',
    summary: 'Make `ssh nexus-NAME`, scp, rsync and editors work',
    load: async () => (await import('./commands/ssh-config.ts')).sshConfig,
  },
];

const auth: readonly CommandNode[] = [
  {
    name: 'github',
    summary: 'Sign in to GitHub',
    load: async () => (await import('./commands/auth-github.ts')).authGithub,
  },
  {
    name: 'status',
    summary: 'Say who you are, here and on GitHub',
    load: async () => (await import('./commands/auth-status.ts')).authStatus,
  },
  {
    name: 'logout',
    summary: 'Forget the GitHub token that nexus keeps',
    load: async () => (await import('./commands/auth-logout.ts')).authLogout,
  },
];

const editor: readonly CommandNode[] = [
  {
    name: 'detect',
    summary: 'Show the editors of this machine',
    load: async () => (await import('./commands/editor-detect.ts')).editorDetect,
  },
  {
    name: 'launch',
    summary: 'Open your editor on a workspace',
    load: async () => (await import('./commands/workspace-connect.ts')).workspaceConnect,
  },
];

const config: readonly CommandNode[] = [
  {
    name: 'init',
    summary: 'Write .nexus/config.yaml from what the repository holds',
    load: async () => (await import('./commands/config-init.ts')).configInit,
  },
  {
    name: 'validate',
    summary: 'Check .nexus/config.yaml, with line and column',
    load: async () => (await import('./commands/config-validate.ts')).configValidate,
  },
  {
    name: 'schema',
    summary: 'Print the JSON Schema of .nexus/config.yaml',
    load: async () => (await import('./commands/config-schema.ts')).configSchema,
  },
  {
    name: 'show',
    summary: 'Show what a workspace of this folder would run',
    load: async () => (await import('./commands/config-show.ts')).configShow,
  },
];

const node: readonly CommandNode[] = [
  {
    name: 'setup',
    summary: 'Make this machine ready to hold workspaces',
    load: async () => (await import('./commands/node-setup.ts')).nodeSetup,
  },
  {
    name: 'list',
    aliases: ['ls'],
    summary: 'List the nodes',
    load: async () => (await import('./commands/node-list.ts')).nodeList,
  },
  {
    name: 'token',
    summary: 'Let another machine join as a node',
    load: async () => (await import('./commands/node-token.ts')).nodeToken,
  },
  {
    name: 'drain',
    summary: 'Give a node no new workspaces',
    load: async () => (await import('./commands/node-drain.ts')).nodeDrain,
  },
  {
    name: 'resume',
    summary: 'Give a node new workspaces again',
    load: async () => (await import('./commands/node-drain.ts')).nodeResume,
  },
  {
    name: 'rm',
    summary: 'Forget a node without workspaces',
    load: async () => (await import('./commands/node-rm.ts')).nodeRm,
  },
  {
    name: 'teardown',
    summary: 'Remove all of Nexus from the engine of this machine',
    hidden: true,
    load: async () => (await import('./commands/node-teardown.ts')).nodeTeardown,
  },
];

const server: readonly CommandNode[] = [
  {
    name: 'start',
    summary: 'Run the server',
    load: async () => (await import('./commands/server-start.ts')).serverStart,
  },
  {
    name: 'status',
    summary: 'Show how the server is',
    load: async () => (await import('./commands/server-status.ts')).serverStatus,
  },
];

export const registry: CommandNode = {
  name: 'nexus',
  summary: 'Ready, isolated, remote development workspaces from a repository, on machines your team owns.',
  children: [
    {
      name: 'up',
      summary: 'From a repository to your open editor',
      load: async () => (await import('./commands/up.ts')).up,
    },
    { name: 'workspace', summary: 'Create and use workspaces', children: workspace },
    { name: 'auth', summary: 'Sign in', children: auth },
    {
      name: 'ssh',
      summary: 'SSH into a workspace; keys and configuration',
      children: ssh,
      load: async () => (await import('./commands/ssh-connect.ts')).sshConnect,
    },
    { name: 'editor', summary: 'Editors on this machine', children: editor },
    { name: 'config', summary: "A repository's .nexus/config.yaml", children: config },
    {
      name: 'doctor',
      summary: 'Check everything here and on the server',
      load: async () => (await import('./commands/doctor.ts')).doctor,
    },
    { name: 'server', summary: 'The server, for administrators', children: server },
    { name: 'coordination', summary: 'The same as server', hidden: true, children: server },
    { name: 'node', summary: 'Machines that hold workspaces, for administrators', children: node },
    {
      name: 'agent',
      summary: 'The agent of a node, for administrators',
      children: [
        {
          name: 'start',
          summary: 'Run the agent of this node',
          load: async () => (await import('./commands/agent-start.ts')).agentStart,
        },
      ],
    },
    {
      name: 'gateway',
      summary: 'The gateway',
      hidden: true,
      children: [
        {
          name: 'run',
          summary: 'Run the gateway',
          load: async () => (await import('./commands/gateway-run.ts')).gatewayRun,
        },
      ],
    },
    {
      name: 'relay',
      summary: 'Join stdin and stdout to a local port',
      hidden: true,
      load: async () => (await import('./commands/relay.ts')).relay,
    },
    {
      name: 'completion',
      summary: 'Print the completion script of your shell',
      load: async () => (await import('./commands/completion.ts')).completionOf(registry),
    },
    {
      name: 'version',
      summary: 'Print the version',
      load: async () => (await import('./commands/version.ts')).versionCommand,
    },
    {
      name: 'help',
      summary: 'Show help of a command',
      load: async () => (await import('./commands/help.ts')).helpOf(registry),
    },
  ],
};
