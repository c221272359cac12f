import { isIP } from 'node:net';

/** Whether a host of a URL or an option means this machine: its bytes then never cross a network. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

type Environment = Record<string, string | undefined>;

const proxyNames = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

/**
 * Where a proxy is set, what is for this machine still goes straight there: the proxy would not reach it, and would see
 * its tokens. Programs read the variable in either case.
 */
export function keepLoopbackFromProxy(env: Environment): void {
  if (!proxyNames.some((name) => env[name])) return;
  const given = env['NO_PROXY'] || env['no_proxy'] || '';
  const names = given.split(/[\s,]+/).filter(Boolean);
  if (names.includes('*')) return;
  const all = [...new Set([...names, 'localhost', '127.0.0.1', '::1'])].join(',');
  Object.assign(env, { NO_PROXY: all, no_proxy: all });
}
