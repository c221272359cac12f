/** What is ours on an engine and on the host, by name: nothing else is ever touched. */
export const layout = {
  project: 'nexus',
  pool: 'nexus',
  /** Workspaces' addresses; private, and unlikely to be in use. */
  range: '10.83.0.0/16',
  /** Big files while they are needed; nothing in it has to stay. */
  cacheFolder: '/var/cache/nexus',
  /** Host-side interfaces of workspaces: this and 12 characters, of the 15 that Linux allows. */
  interfacePrefix: 'nx',
  instancePrefix: 'nexus-',
  basePrefix: 'base-',
  /** A base that is being made. Whatever is left of an attempt that died is removed by the next. */
  unfinishedPrefix: 'unfinished-',
  /** A base that a newer one has just replaced. */
  replacedPrefix: 'unfinished-old-',
} as const;

/** Configuration keys that we put on instances. */
export const keys = {
  cluster: 'user.nexus.cluster',
  workspace: 'user.nexus.workspace',
  base: 'user.nexus.base',
  spec: 'user.nexus.spec',
  surroundings: 'user.nexus.surroundings',
  scripts: 'user.nexus.scripts',
} as const;

export function instanceName(workspaceId: string): string {
  return layout.instancePrefix + workspaceId.replace(/^ws-/, '');
}

/** Name of the host-side interface of an instance: the prefix and the last 12 characters of the instance's name. */
export function interfaceName(name: string): string {
  return layout.interfacePrefix + name.slice(-12);
}
