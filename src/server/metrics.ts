/** What is measured, in Prometheus' form; every unit is in the name. */
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { workspaceStatuses } from '../contract/workspace.ts';
import type { ServerConfig } from '../contract/server-config.ts';
import { listNodes } from './store/nodes.ts';
import { countFreePorts } from './store/ports.ts';
import type { Store } from './store/store.ts';
import { countByStatus } from './store/workspaces.ts';

export type Metrics = {
  /** From the request for a new workspace to the first time that it runs. */
  workspaceCreated(seconds: number): void;
  /** From the command that starts a service to its being healthy. */
  serviceStarted(seconds: number): void;
  /** From accepting an SSH connection at the gateway to the first byte of the workspace's sshd. */
  sshConnected(seconds: number): void;
  httpAnswered(answer: { method: string; route: string; status: number; seconds: number }): void;
  /** The text for `GET /metrics`, and its content type. */
  scrape(): Promise<{ contentType: string; text: string }>;
};

type Sources = { store: Store; config: Pick<ServerConfig, 'ports'>; now: () => Date };

export function createMetrics({ store, config, now }: Sources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addStoreGauges(registry, { store, config, now });
  const creation = histogram(registry, {
    name: 'nexus_workspace_creation_seconds',
    help: 'From the request for a workspace to its running.',
    buckets: [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 180, 300, 600],
  });
  const serviceStart = histogram(registry, {
    name: 'nexus_service_start_seconds',
    help: 'From the start of a service to its being healthy.',
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60],
  });
  const sshConnect = histogram(registry, {
    name: 'nexus_ssh_connect_seconds',
    help: "From accepting an SSH connection at the gateway to the first byte of the workspace's sshd.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  });
  const requests = new Histogram({
    name: 'nexus_http_request_seconds',
    help: 'Answers of the HTTP API.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5, 30],
    registers: [registry],
  });
  return {
    workspaceCreated: (seconds) => creation.observe(seconds),
    serviceStarted: (seconds) => serviceStart.observe(seconds),
    sshConnected: (seconds) => sshConnect.observe(seconds),
    httpAnswered: ({ method, route, status, seconds }) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function histogram(registry: Registry, options: { name: string; help: string; buckets: number[] }): Histogram {
  return new Histogram({ ...options, registers: [registry] });
}

/** Read from the database when somebody asks, so that they are right after a restart too. */
function addStoreGauges(registry: Registry, { store, config, now }: Sources): void {
  gauge(registry, {
    name: 'nexus_ports_free',
    help: 'Ports of a pool that are not given out.',
    label: 'pool',
    read: async () => ({
      ssh: await countFreePorts(store.db, config.ports.ssh),
      services: await countFreePorts(store.db, config.ports.services),
    }),
  });
  gauge(registry, {
    name: 'nexus_workspaces',
    help: 'Workspaces by status.',
    label: 'status',
    read: async () => ({
      ...Object.fromEntries(workspaceStatuses.map((status) => [status, 0])),
      ...(await countByStatus(store.db)),
    }),
  });
  gauge(registry, {
    name: 'nexus_node_last_heartbeat_seconds',
    help: 'Seconds since the last heartbeat of a node.',
    label: 'node',
    read: async () => {
      const nodes = await listNodes(store.db, 'agent');
      return Object.fromEntries(
        nodes.flatMap(({ name, last_heartbeat }) =>
          last_heartbeat === null ? [] : [[name, Math.max(0, now().getTime() - Date.parse(last_heartbeat)) / 1000]],
        ),
      );
    },
  });
}

type StoreGauge = { name: string; help: string; label: string; read: () => Promise<Readonly<Record<string, number>>> };

function gauge(registry: Registry, { name, help, label, read }: StoreGauge): void {
  const values = new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      const current = await read();
      // A node that was removed has no value any more.
      values.reset();
      for (const [key, value] of Object.entries(current)) values.set({ [label]: key }, value);
    },
  });
}
