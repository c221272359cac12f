import { readFile } from 'node:fs/promises';

const usualMtu = 1500;

/** The MTU of the interface that the host's default route goes through: a larger one inside would only be cut. */
export async function hostMtu(root = ''): Promise<number> {
  const routes = await readFile(`${root}/proc/net/route`, 'utf8').catch(() => '');
  const name = defaultInterface(routes);
  if (name === null) return usualMtu;
  const text = await readFile(`${root}/sys/class/net/${name}/mtu`, 'utf8').catch(() => '');
  const mtu = Number(text.trim());
  return mtu >= 576 ? Math.min(mtu, usualMtu) : usualMtu;
}

/** From the table in the form of /proc/net/route: interface, destination, gateway and more, in hexadecimal. */
function defaultInterface(routes: string): string | null {
  const rows = routes.split('\n').map((line) => line.split('\t'));
  return rows.find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0] ?? null;
}
