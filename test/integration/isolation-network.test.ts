/** What a workspace reaches, tried from inside one with root's rights; and what arrives where it must not. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { noEngine, untilTrue } from '../support/agent-lab.ts';
import { createNeighbour, metadataAddress, neighbourAddress, neighbourPort } from '../support/isolation/neighbour.ts';
import type { Neighbour } from '../support/isolation/neighbour.ts';
import {
  createTwoWorkspaces,
  servicePort,
  type Cell,
  type TwoWorkspaces,
} from '../support/isolation/two-workspaces.ts';

const router = '169.254.0.1';
const unusedAddress = '10.83.0.9';

describe('the network of a workspace', { skip: noEngine || (process.getuid?.() !== 0 && 'needs root') }, () => {
  let neighbour: Neighbour;
  let world: TwoWorkspaces;
  let attacker: Cell;
  let victim: Cell;
  let server: Server;
  let hostPort = 0;
  const hostAddresses = (): string[] =>
    Object.entries(networkInterfaces()).flatMap(([name, all]) =>
      (all ?? [])
        .filter(({ family, internal }) => family === 'IPv4' && !internal && !name.startsWith('nx'))
        .map(({ address }) => address),
    );

  before(async () => {
    neighbour = await createNeighbour();
    // As on a machine that serves a team: at every address that it has.
    world = await createTwoWorkspaces({ config: { gateway: { host: '0.0.0.0' } } });
    ({ attacker, victim } = world);
    server = createServer((socket) => socket.destroy()).listen(0, '::');
    await once(server, 'listening');
    hostPort = (server.address() as { port: number }).port;
  });
  after(async () => {
    server?.close();
    await world?.[Symbol.asyncDispose]();
    await neighbour?.[Symbol.asyncDispose]();
  });

  const reach = (targets: (readonly [string, number])[]): Promise<string[]> => attacker.attack('reach', targets);

  async function isRefused(targets: (readonly [string, number])[]): Promise<void> {
    const outcomes = await reach(targets);
    const reached = targets.filter((_, index) => outcomes[index] !== 'ECONNREFUSED');
    assert.deepEqual(reached, [], outcomes.join(' '));
  }

  it('reaches its own services, at its loopback and its address', async () => {
    assert.deepEqual(
      await reach([
        ['127.0.0.1', servicePort],
        [attacker.address, servicePort],
      ]),
      ['ok', 'ok'],
    );
  });

  it('asks for names, and reaches the internet as its node does', async () => {
    const script = `getent ahostsv4 deb.debian.org | head -1 | cut -d' ' -f1
curl --silent --max-time 20 --output /dev/null --write-out '%{http_code}' http://deb.debian.org/debian/dists/stable/Release`;
    const { stdout } = await execa('bash', ['-c', script], { reject: false });
    assert.equal((await attacker.shell(script)).stdout, stdout);
  });

  it('is refused by another workspace: its sshd, its services, its address, and those that nobody has', async () => {
    assert.equal((await fetch(victim.url)).status, 200);
    await isRefused([22, servicePort, 1].map((port) => [victim.address, port] as const));
    const ping = await attacker.shell(`ping -c 2 -W 1 -i 0.2 ${victim.address} | grep -c 'bytes from'`);
    assert.equal(ping.stdout.trim() || '0', '0');
    await isRefused([[unusedAddress, 22]]);
  });

  it('is refused by the host at each of its addresses: any port, the gateway, its own service too', async () => {
    const gateway = JSON.parse(await readFile(join(world.nexus.dataDir, 'gateway/gateway.json'), 'utf8')) as object;
    const streamPort = Object.entries(gateway).find(([key]) => /stream/.test(key))?.[1];
    const services = [attacker, victim].map(({ url }) => Number(new URL(url).port));
    const ports = [hostPort, attacker.sshPort, victim.sshPort, ...services, Number(new URL(world.nexus.url).port), 22];
    if (typeof streamPort === 'number') ports.push(streamPort);
    const addresses = [...hostAddresses(), router];
    assert.ok(addresses.length > 1);
    await isRefused(addresses.flatMap((address) => ports.map((port) => [address, port] as const)));
    const pings = await attacker.shell(
      addresses.map((address) => `ping -c 1 -W 1 ${address} | grep 'bytes from'`).join('; '),
    );
    assert.equal(pings.stdout, '');
  });

  it('is refused by the host whatever name leads there', async () => {
    const [address = ''] = hostAddresses();
    await attacker.shell(`echo '${address} rebound.example' >> /etc/hosts`);
    assert.deepEqual(await reach([['rebound.example', hostPort]]), ['ECONNREFUSED']);
  });

  it('is refused by the metadata service and by the machines in the networks of its node', async () => {
    for (const address of [neighbourAddress, metadataAddress]) {
      const { stdout } = await execa('bash', ['-c', `timeout 5 cat < /dev/tcp/${address}/${neighbourPort}`]);
      assert.equal(stdout, 'hello', 'the host reaches it');
    }
    const before = neighbour.visitors.length;
    await isRefused([
      [neighbourAddress, neighbourPort],
      [metadataAddress, neighbourPort],
      [metadataAddress, 80],
    ]);
    assert.equal(neighbour.visitors.length, before);
  });

  it('gets nothing to anybody under a forged address, in no protocol, by no detour', async () => {
    await using host = await listenOnHost();
    const listening = victim.attack<number>('listen', 60);
    await untilTrue('the victim listens', async () => (await victim.shell('test -e /run/listening')).exitCode === 0);
    const [own = ''] = hostAddresses();
    const sources = [attacker.address, victim.address, unusedAddress, own, router, '127.0.0.1', '8.8.8.8', '0.0.0.0'];
    const targets = [victim.address, own, router, '127.0.0.1', '255.255.255.255', '224.0.0.1', '224.0.0.251'];
    const given = { sources, targets, port: host.port, router };
    assert.ok((await attacker.attack<number>('forge', given)) > 2000);
    // What the host itself sends is seen, so that silence means something.
    await sendMark(victim.address);
    await victim.shell('touch /run/stop-listening');
    assert.equal(await listening, 1);
    assert.deepEqual(host.received, []);
  });

  it("gains nothing by answering for another's address, and does not fill the host's table of neighbours", async () => {
    await attacker.attack('poison', { claimed: [victim.address, router, ...hostAddresses()], many: 3000 });
    assert.equal((await fetch(victim.url)).status, 200);
    const { stdout } = await execa('ip', ['-4', 'neighbour', 'show', 'dev', `nx${attacker.instance.slice(-12)}`]);
    assert.ok(stdout.split('\n').length < 5, stdout.slice(0, 500));
  });

  it('has no IPv6 to the host: not by link-local addresses, nor as a router', async () => {
    const device = `nx${attacker.instance.slice(-12)}`;
    const { stdout } = await execa('ip', ['-6', '-brief', 'address', 'show', 'dev', device]);
    const [linkLocal] = /fe80::[0-9a-f:]+/.exec(stdout) ?? [];
    if (linkLocal !== undefined)
      assert.notDeepEqual(await reach([[`${linkLocal}%eth0`, hostPort]]), ['ok'], 'the host has a listener there');
    await attacker.attack('advertise', '2001:db8:bad::');
    const routes = await execa('bash', ['-c', 'ip -6 route show table all; ip -6 address']);
    assert.doesNotMatch(routes.stdout, /2001:db8:bad|fe80::bad/);
  });

  it('has its share of open connections, not the whole table', async () => {
    const count = async (): Promise<number> =>
      Number(await readFile('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'));
    const before = await count();
    // TEST-NET-3 of RFC 5737: nobody answers, and the entries stay for a while.
    await attacker.attack('flows', { address: '203.0.113.9', count: 20_000 });
    const more = (await count()) - before;
    assert.ok(more > 4000 && more < 10_000, `${more} entries`);
    assert.equal((await fetch(victim.url)).status, 200);
  });
});

/** UDP at every address of the host: what it receives with the attack's mark. */
async function listenOnHost() {
  const socket = createSocket('udp4');
  const received: string[] = [];
  socket.on('message', (message, from) => received.push(`${from.address} ${message.toString()}`));
  socket.bind(0, '0.0.0.0');
  await once(socket, 'listening');
  return {
    received,
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)),
  };
}

async function sendMark(address: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send('NEXUS-FORGED', 9, address, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}
