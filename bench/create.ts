/** `POST /workspaces` to sshd's banner through the gateway, beside the engine's own copy + start + banner. */
import { randomBytes } from 'node:crypto';
import { api, type Installation } from '../test/support/installation.ts';
import { engine, untilBanner } from './bare-engine.ts';
import { inTurn, timed } from './statistics.ts';

type EngineInstance = {
  readonly name: string;
  readonly config: Record<string, string>;
  readonly devices: Record<string, Record<string, string>>;
};

export async function benchCreate(nexus: Installation, runs: number) {
  const model = await modelInstance(nexus);
  return inTurn(
    runs,
    async (run) => {
      let id = '';
      const elapsed = await timed(async () => {
        const created = await api<{ workspace_id: string; ssh_port: number }>(
          nexus,
          'POST',
          '/workspaces',
          request(`bench-${run}`),
        );
        id = created.workspace_id;
        await untilBanner('127.0.0.1', created.ssh_port);
      });
      await api(nexus, 'DELETE', `/workspaces/${id}?force=true`);
      return elapsed;
    },
    async () => {
      const name = `bench-${randomBytes(4).toString('hex')}`;
      const elapsed = await timed(async () => {
        await engine('POST', '/1.0/instances', { ...model.spec, name });
        await engine('PUT', `/1.0/instances/${name}/state`, { action: 'start', timeout: 30 });
        await untilBanner(model.address, 22);
      });
      await engine('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true, timeout: 30 });
      await engine('DELETE', `/1.0/instances/${name}`);
      return elapsed;
    },
  );
}

function request(name: string): unknown {
  return { workspace_name: name, repo: { owner: 'bench', name, source: 'upload' }, services: [] };
}

/** A copy of the same base, with the same limits and devices, as the product makes one; at an address of its own. */
async function modelInstance(nexus: Installation) {
  const created = await api<{ workspace_id: string; ssh_port: number }>(
    nexus,
    'POST',
    '/workspaces',
    request('bench-model'),
  );
  await untilBanner('127.0.0.1', created.ssh_port);
  const instance = (await engine('GET', `/1.0/instances/nexus-${created.workspace_id.slice(3)}`)) as EngineInstance;
  await api(nexus, 'DELETE', `/workspaces/${created.workspace_id}?force=true`);
  const nic = Object.entries(instance.devices).find(([, device]) => device['type'] === 'nic');
  if (nic === undefined) throw new Error('the workspace has no network device');
  const address = (nic[1]['ipv4.address'] ?? '').replace(/\.\d+\.\d+$/, '.254.250');
  const base = instance.config['user.nexus.base'];
  if (base === undefined) throw new Error('the instance does not name its base');
  const config = Object.fromEntries(
    Object.entries(instance.config).filter(([key]) => key.startsWith('limits.') || key.startsWith('security.')),
  );
  return {
    address,
    spec: {
      source: { type: 'copy', source: base, instance_only: true },
      config: { ...config, 'user.nexus.bench': '1' },
      devices: { ...instance.devices, [nic[0]]: { ...nic[1], 'ipv4.address': address } },
      profiles: [],
    },
  };
}
