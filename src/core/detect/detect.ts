/** What a repository without a description of its services seems to have. */
import {
  changed,
  joinPath,
  repositoryFolder,
  type Detector,
  type Finding,
  type Folder,
  type FoundService,
} from './detector.ts';
import { go } from './go.ts';
import { node } from './node.ts';
import { procfile } from './procfile.ts';
import { python } from './python.ts';
import { toServiceName } from './service-name.ts';
import { staticFiles } from './static.ts';

const detectors: readonly Detector[] = [procfile, node, python, go, staticFiles];

export type Detection = {
  /** Each with a name and a port of its own. */
  readonly services: readonly FoundService[];
  readonly preStart: string | undefined;
  readonly packages: readonly string[];
  /** A line each, for people. */
  readonly notes: readonly string[];
};

/** `files` and `listing` as for `resolveRepository`. Never throws. */
export function detectServices(files: ReadonlyMap<string, string>, listing: readonly string[]): Detection {
  const root = repositoryFolder(files, listing);
  const own = findIn(root, ['declared', 'language']);
  const findings = hasServices(own) ? own : [...own, ...findInFolders(root)];
  const all = hasServices(findings) ? findings : [...findings, ...findIn(root, ['fallback'])];
  const { services, notes } = distinct(all.flatMap((finding) => finding.services));
  const installs = all.flatMap(({ install }) => install ?? []);
  return {
    services,
    preStart: installs.length === 0 ? undefined : installs.join(' && '),
    packages: [...new Set(all.flatMap(({ packages }) => packages))].sort(),
    notes: [
      ...all.flatMap((finding) => finding.notes),
      ...notes,
      ...(services.length === 0 ? ['No service was found.'] : []),
    ],
  };
}

function hasServices(findings: readonly Finding[]): boolean {
  return findings.some(({ services }) => services.length > 0);
}

function findIn(folder: Folder, kinds: readonly Detector['kind'][]): Finding[] {
  const of = (kind: Detector['kind']): Finding[] =>
    kinds.includes(kind) ? detectors.filter((one) => one.kind === kind).flatMap((one) => one.detect(folder) ?? []) : [];
  const languages = of('language');
  const declared = of('declared').map((finding) => enterBefore(finding, languages));
  const installs = hasServices(declared) ? languages.map((finding) => ({ ...finding, services: [] })) : languages;
  return [...installs, ...declared, ...of('fallback')];
}

/** What was declared may name commands that the languages' installation brings. */
function enterBefore(declared: Finding, languages: readonly Finding[]): Finding {
  const enters = languages.flatMap(({ enter }) => enter ?? []);
  const withCommands = (command: string): string => [...enters, command].join(' && ');
  return {
    ...declared,
    services: declared.services.map((service) => ({ ...service, command: withCommands(service.command) })),
    ...(declared.install === undefined ? {} : { install: withCommands(declared.install) }),
  };
}

const folderNamesWithout =
  /^(?:\.|_)|^(?:docs?|examples?|samples?|tests?|spec|e2e|fixtures|testdata|scripts?|tools?|bench(?:marks?)?|hack)$/i;
const mostFolders = 10;

/** A repository that is several projects side by side: each folder is looked at as one, and gives its service its name. */
function findInFolders(root: Folder): Finding[] {
  const names = [
    ...new Set(root.paths.flatMap((path) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : []))),
  ];
  return names
    .filter((name) => !folderNamesWithout.test(name))
    .slice(0, mostFolders)
    .flatMap((name) => findIn(root.folder(name), ['declared', 'language']).map((finding) => inFolder(finding, name)))
    .filter(({ services }) => services.length > 0);
}

function inFolder(finding: Finding, folder: string): Finding {
  const name = toServiceName(folder);
  const { services, install } = finding;
  return {
    ...finding,
    services: services.map((service) =>
      changed(service, {
        name: services.length === 1 ? name : toServiceName(`${name}-${service.name}`),
        cwd: joinPath(folder, service.cwd ?? ''),
      }),
    ),
    ...(install === undefined ? {} : { install: `(cd ${shellWord(folder)} && ${install})` }),
  };
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

const mostServices = 50;

/** Gives each service a name and a port of its own; one that cannot be told another port is left out, with a note. */
function distinct(found: readonly FoundService[]): { services: FoundService[]; notes: string[] } {
  const names = new Set<string>();
  const ports = new Set<number>();
  const notes: string[] = [];
  const services: FoundService[] = [];
  for (const one of found.slice(0, mostServices)) {
    const service = atFreePort(one, ports);
    if (service === undefined) {
      notes.push(`Left out: ${one.name} (${one.command}), for another service has port ${one.port}.`);
      continue;
    }
    const name = freeName(service.name, names);
    names.add(name);
    if (service.port !== undefined) ports.add(service.port);
    services.push(changed(service, { name }));
  }
  return { services, notes };
}

function atFreePort(service: FoundService, taken: ReadonlySet<number>): FoundService | undefined {
  if (service.port === undefined || !taken.has(service.port)) return service;
  let port = service.port;
  while (taken.has(port)) port++;
  return service.atPort?.(port);
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name.slice(0, 37)}-${number}`;
  return free;
}
