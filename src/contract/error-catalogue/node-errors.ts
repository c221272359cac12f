/** Errors of the machines: server, nodes, engines, ports and disks. */
import { define } from './entry.ts';

export const nodeErrors = {
  no_available_nodes: define<{ reason: string }>({
    status: 503,
    meaning: 'No node is there to take the workspace.',
    message: ({ reason }) => `No node can take the workspace: ${reason}.`,
    hint: () => 'nexus node list',
  }),
  insufficient_node_resources: define<{ reason: string }>({
    status: 503,
    meaning: 'The nodes, or the owner’s limits, have no room for the workspace.',
    message: ({ reason }) => `There is no room for the workspace: ${reason}.`,
    hint: () => 'nexus workspace list',
  }),
  node_unreachable: define<{ node: string }>({
    status: 503,
    meaning: 'The node of the workspace does not answer; the work goes on when it is back.',
    message: ({ node }) => `The node ${node} does not answer.`,
    hint: () => 'nexus node list',
  }),
  node_in_use: define<{ node: string; workspaces: number }>({
    status: 409,
    meaning: 'Only a node without workspaces can be removed.',
    message: ({ node, workspaces }) => `The node ${node} still has ${workspaces} workspaces.`,
    hint: ({ node }) => `nexus node drain ${node}`,
  }),
  shutting_down: define<Record<string, never>>({
    status: 503,
    meaning: 'The server is stopping.',
    message: () => 'The server is stopping.',
    hint: () => 'nexus server status',
  }),
  server_already_running: define<{ data_dir: string; pid: number }>({
    status: 409,
    meaning: 'Another server has the data folder.',
    message: ({ data_dir, pid }) => `A server runs on ${data_dir} already (process ${pid}).`,
    hint: () => 'nexus server status',
  }),
  port_pool_exhausted: define<{ pool: string; first: number; last: number }>({
    status: 503,
    meaning: 'Every port of the pool is given out.',
    message: ({ pool, first, last }) => `All ${pool} ports from ${first} to ${last} are in use.`,
    hint: () => 'nexus workspace list',
  }),
  port_already_in_use: define<{ port: number }>({
    status: 409,
    meaning: 'Another process has the port.',
    message: ({ port }) => `Port ${port} is in use by another process.`,
    hint: ({ port }) => `ss -ltnp sport = :${port}`,
  }),
  image_not_found: define<{ image: string; reason?: string }>({
    status: 400,
    meaning: 'The image is neither on the node nor on an image server, and cannot be built.',
    message: ({ image, reason }) => `There is no image ${image}${reason ? `: ${reason}` : ''}.`,
    hint: () => 'nexus workspace create REPO --image debian:12',
  }),
  provider_unavailable: define<{ provider: string; reason: string }>({
    status: 503,
    meaning: 'The engine does not answer.',
    message: ({ provider, reason }) => `The ${provider} engine is not available: ${reason}.`,
    hint: ({ provider }) => (provider === 'lxc' ? 'nexus node setup' : 'nexus node list'),
  }),
  package_install_failed: define<{ packages: readonly string[]; output: readonly string[] }>({
    status: 400,
    meaning: 'The packages that the repository asks for cannot be installed.',
    message: ({ packages, output }) => `Could not install ${packages.join(', ')}: ${output.at(-1) ?? 'no output'}.`,
    hint: () => 'nexus config show',
  }),
  container_start_failed: define<{ instance: string; reason: string }>({
    status: 503,
    meaning: 'The engine could not create or start the instance.',
    message: ({ instance, reason }) => `The instance ${instance} did not start: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  container_not_ready: define<{ instance: string; waiting_for: string; seconds: number }>({
    status: 503,
    meaning: 'The instance runs, but its SSH server did not come up in time.',
    message: ({ instance, waiting_for, seconds }) =>
      `${instance} runs, but ${waiting_for} did not come up in ${seconds} s.`,
    hint: () => 'nexus doctor',
  }),
  disk_full: define<{ where: string; free_bytes?: number }>({
    status: 503,
    meaning: 'There is no room left on a disk.',
    message: ({ where, free_bytes }) =>
      free_bytes === undefined
        ? `There is no room left on ${where}.`
        : `There is no room for another workspace on ${where}: ${(free_bytes / 2 ** 30).toFixed(1)} GiB are free, which are kept for the workspaces that are there.`,
    hint: () => 'nexus workspace list',
  }),
  stream_failed: define<{ reason: string }>({
    status: 503,
    meaning: 'A connection into the workspace could not be opened.',
    message: ({ reason }) => `No connection into the workspace: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
} as const;
