/** What a detector sees of a repository, and what it says of it. A new detector is a file here and a line in `detect.ts`. */

import type { ServiceSpec } from '../../contract/service-spec.ts';

export type Detector = {
  readonly name: string;
  /**
   * `declared`: the repository says itself what its services are; these then stand for all. `language`: the services of
   * all of these are taken together. `fallback`: asked when there is nothing else.
   */
  readonly kind: 'declared' | 'language' | 'fallback';
  /** Null when the folder is nothing of the detector's kind. */
  detect(folder: Folder): Finding | null;
};

export type Finding = {
  readonly services: readonly FoundService[];
  /** Shell command that installs what the services need, run in the folder before they are started. */
  readonly install?: string;
  /** Shell command that puts what was installed on the PATH, for commands written by others. */
  readonly enter?: string;
  /** Debian packages. */
  readonly packages: readonly string[];
  /** What was seen, a line each, for people. */
  readonly notes: readonly string[];
};

export type FoundService = {
  readonly name: string;
  readonly command: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Relative to the folder. */
  readonly cwd?: string;
  /** The same service on another port, when it can be told one. */
  readonly atPort?: (port: number) => FoundService;
};

/** A service that can be told its port. */
export function withPort(port: number, build: (port: number) => FoundService): FoundService {
  return { ...build(port), port, atPort: (other) => withPort(other, build) };
}

/** The service with other fields, on any port. */
export function changed(service: FoundService, fields: Partial<FoundService>): FoundService {
  const { atPort } = service;
  return { ...service, ...fields, ...(atPort ? { atPort: (port) => changed(atPort(port), fields) } : {}) };
}

export function toServiceSpec({ command, port, env, cwd, ...found }: FoundService, name = found.name): ServiceSpec {
  return {
    name,
    command,
    ...(port === undefined ? {} : { port }),
    env: { ...env },
    ...(cwd ? { cwd } : {}),
    depends_on: [],
  };
}

/** A folder of the repository: the texts of the files that were read, and the paths of those that are there. */
export type Folder = {
  /** Relative to the repository; empty for its root. */
  readonly path: string;
  read(path: string): string | undefined;
  has(path: string): boolean;
  /** Paths relative to this folder. */
  readonly paths: readonly string[];
  folder(path: string): Folder;
};

export function repositoryFolder(files: ReadonlyMap<string, string>, listing: readonly string[]): Folder {
  return folderAt('', files, [...new Set([...listing, ...files.keys()])].sort());
}

function folderAt(path: string, files: ReadonlyMap<string, string>, paths: readonly string[]): Folder {
  const known = new Set(paths);
  return {
    path,
    paths,
    read: (name) => files.get(joinPath(path, name)),
    has: (name) => known.has(name),
    folder: (name) =>
      folderAt(
        joinPath(path, name),
        files,
        paths.filter((one) => one.startsWith(`${name}/`)).map((one) => one.slice(name.length + 1)),
      ),
  };
}

export function joinPath(folder: string, path: string): string {
  return folder === '' || path === '' ? folder + path : `${folder}/${path}`;
}

/** The path as a note names it: with its folder. */
export function named(folder: Folder, path: string): string {
  return joinPath(folder.path, path);
}
