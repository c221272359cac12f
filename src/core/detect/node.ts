import { posix } from 'node:path';
import { z } from 'zod';
import { readYaml } from '../config/read-yaml.ts';
import { changed, named, withPort, type Detector, type Finding, type Folder, type FoundService } from './detector.ts';
import { frameworkOf, hostOption, type NodeFramework } from './node-frameworks.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';
import { packageManagerOf } from './package-manager.ts';
import { firstPort, portInCommand } from './port-in-command.ts';
import { toServiceName } from './service-name.ts';

const pnpmWorkspace = z.object({ packages: z.array(z.string()) });

/** The `dev` or `start` script of package.json; in a monorepo those of its packages, each a service. */
export const node: Detector = {
  name: 'Node.js',
  kind: 'language',
  detect(folder) {
    const manifest = readPackageJson(folder);
    if (manifest === undefined) return null;
    const manager = packageManagerOf(folder, manifest);
    const members = memberFolders(folder, manifest);
    const ofMembers = members.flatMap((member) => {
      const script = scriptOf(folder.folder(member), manager.run);
      return script ? [inFolder(script, member)] : [];
    });
    const ofRoot = ofMembers.length > 0 ? undefined : scriptOf(folder, manager.run);
    const scripts = ofRoot ? [ofRoot] : ofMembers;
    const installs = members.length > 0 || hasDependencies(manifest);
    const finding: Finding = {
      services: scripts.map(({ service }) => service),
      packages: [],
      notes: scripts.map(({ note }) => note),
      ...(installs ? { install: manager.install, enter: 'export PATH="$PWD/node_modules/.bin:$PATH"' } : {}),
    };
    return scripts.length > 0
      ? finding
      : { ...finding, notes: [`${named(folder, 'package.json')}: no script dev or start`] };
  },
};

type Script = { readonly service: FoundService; readonly note: string };

function scriptOf(folder: Folder, run: string): Script | undefined {
  const manifest = readPackageJson(folder);
  const name = ['dev', 'start'].find((one) => manifest?.scripts[one]?.trim());
  if (manifest === undefined || name === undefined) return undefined;
  const text = expandScript(manifest.scripts, name);
  const framework = frameworkOf(text);
  const service = framework
    ? frameworkService(`${run} ${name}`, framework, { script: manifest.scripts[name] ?? '', text })
    : plainService(`${run} ${name}`, folder, { manifest, text });
  const what = `script ${name}${framework ? ` (${framework.name})` : ''}`;
  return { service, note: `${named(folder, 'package.json')}: ${what}` };
}

function frameworkService(
  command: string,
  framework: NodeFramework,
  { script, text }: { script: string; text: string },
): FoundService {
  const option = hostOption(script, framework);
  const suffix = option === undefined ? '' : ` -- ${option}`;
  const env: Record<string, string> = option === undefined ? { HOST: '0.0.0.0' } : {};
  const service = { name: 'web', command: `${command}${suffix}`, env };
  const explicit = portInCommand(text);
  if (explicit !== undefined) return { ...service, port: explicit };
  return withPort(framework.port, (port) => {
    if (port === framework.port) return service;
    if (option === undefined) return { ...service, env: { ...env, PORT: String(port) } };
    return { ...service, command: `${service.command} --port ${port}` };
  });
}

/** A script that starts a server of its own, or no server at all. */
function plainService(
  command: string,
  folder: Folder,
  { manifest, text }: { manifest: PackageJson; text: string },
): FoundService {
  const explicit = portInCommand(text);
  if (explicit !== undefined) return { name: 'web', command, port: explicit };
  const entry = readEntry(folder, manifest, text);
  const readsPort = /\benv\.PORT\b|\benv\[['"]PORT['"]\]/.test(entry);
  const written = firstPort(writtenPorts, entry);
  const isServer = readsPort || servers.some((name) => Object.hasOwn(manifest.dependencies, name));
  const port = written ?? (isServer ? usualPort : undefined);
  if (port === undefined) return { name: 'app', command };
  if (written !== undefined && !readsPort) return { name: 'web', command, port };
  return withPort(port, (port) => ({ name: 'web', command, env: { PORT: String(port) } }));
}

function inFolder({ service, note }: Script, member: string): Script {
  return { note, service: changed(service, { name: toServiceName(posix.basename(member)), cwd: member }) };
}

const longestScript = 4_000;

/** The text of a script with that of the scripts it runs, so that a port or a server in them is seen. */
function expandScript(scripts: Readonly<Record<string, string>>, name: string): string {
  const texts = new Map<string, string>();
  const expand = (script: string): void => {
    if (texts.has(script) || !Object.hasOwn(scripts, script)) return;
    const text = (scripts[script] ?? '').slice(0, longestScript);
    texts.set(script, text);
    for (const [, called] of text.matchAll(
      /\b(?:npm(?: run)?|pnpm(?: run)?|yarn(?: run)?|bun run|run-[ps]) ([\w:.-]+)/g,
    ))
      expand(called ?? '');
  };
  expand(name);
  return [...texts.values()].join(' ; ').slice(0, longestScript);
}

const servers = [
  'express',
  'fastify',
  'koa',
  '@hapi/hapi',
  'hono',
  'restify',
  'polka',
  '@nestjs/core',
  'apollo-server',
  '@apollo/server',
];
const usualPort = 3000;
const entryNames = ['server', 'index', 'app', 'main', 'src/server', 'src/index', 'src/app', 'src/main'];

const writtenPorts = [
  /\bPORT\b['"\])]*\s*(?:\|\||\?\?)\s*['"]?(\d{2,5})/,
  /\.listen\(\s*(?:\{\s*port:\s*)?(\d{2,5})/,
  /\bport\s*[=:]\s*(\d{2,5})/i,
];

/** The file that the script or `main` names, else the first of the usual ones. */
function readEntry(folder: Folder, manifest: PackageJson, script: string): string {
  const [inScript] = /[\w./-]+\.(?:js|mjs|cjs|ts)\b/.exec(script) ?? [];
  const usual = entryNames.flatMap((name) => ['js', 'mjs', 'cjs', 'ts'].map((ending) => `${name}.${ending}`));
  const candidates = [inScript, manifest.main, ...usual].filter((path) => path !== undefined);
  return candidates.map((path) => folder.read(path.replace(/^\.\//, ''))).find(Boolean) ?? '';
}

function hasDependencies({ dependencies, devDependencies }: PackageJson): boolean {
  return Object.keys(dependencies).length + Object.keys(devDependencies).length > 0;
}

/** Folders of the workspaces that `workspaces` or pnpm-workspace.yaml name. */
function memberFolders(folder: Folder, manifest: PackageJson): string[] {
  const patterns = manifest.workspaces ?? pnpmPackages(folder);
  const matches = patterns.filter((pattern) => !pattern.startsWith('!')).map(globPattern);
  const excluded = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => globPattern(pattern.slice(1)));
  return folder.paths
    .filter((path) => path.endsWith('/package.json'))
    .map((path) => path.slice(0, -'/package.json'.length))
    .filter((path) => matches.some((one) => one.test(path)) && !excluded.some((one) => one.test(path)));
}

const mostStars = 3;

/** More stars than workspaces have make a pattern that takes long to match. */
function globPattern(glob: string): RegExp {
  if (glob.split('*').length - 1 > mostStars) return /(?!)/;
  const parts = glob.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  const pattern = parts.map((part) =>
    part === '**'
      ? '.+'
      : part
          .split('*')
          .map((text) => RegExp.escape(text))
          .join('[^/]*'),
  );
  return new RegExp(`^${pattern.join('/')}$`);
}

function pnpmPackages(folder: Folder): string[] {
  try {
    return pnpmWorkspace.parse(readYaml(folder.read('pnpm-workspace.yaml') ?? '', 'pnpm-workspace.yaml').data).packages;
  } catch {
    return [];
  }
}
