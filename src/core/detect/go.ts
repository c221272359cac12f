import { posix } from 'node:path';
import { named, withPort, type Detector, type Folder, type FoundService } from './detector.ts';
import { firstPort } from './port-in-command.ts';
import { toServiceName } from './service-name.ts';

/** What Debian 12 packages. */
const packagedMinor = 19;
const usualPort = 8080;

/** A module with a `main.go` in its root or in `cmd/NAME`. */
export const go: Detector = {
  name: 'Go',
  kind: 'language',
  detect(folder) {
    const module = folder.read('go.mod');
    if (module === undefined) return null;
    const mains = folder.paths.filter((path) => /^(?:cmd\/[^/]+\/)?main\.go$/.test(path));
    const services = mains.flatMap((path) => toService(folder, path));
    const targets = services.map(({ target }) => target);
    return {
      services: services.map(({ service }) => service),
      // Also fills the build cache, so that the services' `go run` starts at once.
      install:
        targets.length === 0
          ? 'go mod download'
          : targets.map((target) => `go build -o /dev/null ${target}`).join(' && '),
      packages: ['golang'],
      notes: [
        `${named(folder, 'go.mod')}: ${services.map(({ service }) => `${service.name} (${service.command})`).join(', ') || 'no main package that listens'}`,
        ...versionNote(folder, module),
      ],
    };
  },
};

/** The root's main is taken as the service; of those in `cmd`, which may be tools, only what listens. */
function toService(folder: Folder, path: string): { target: string; service: FoundService }[] {
  const isRoot = path === 'main.go';
  const name = isRoot ? 'web' : toServiceName(path.split('/')[1] ?? '');
  const target = isRoot ? '.' : `./${posix.dirname(path)}`;
  const service = listening({ name, command: `go run ${target}` }, folder.read(path) ?? '');
  if (service) return [{ target, service }];
  return isRoot ? [{ target, service: { name: 'app', command: 'go run .' } }] : [];
}

function listening(service: FoundService, text: string): FoundService | undefined {
  const written = firstPort([/"(?:localhost|[\d.]*):(\d{2,5})"/], text);
  if (/(?:Getenv|LookupEnv)\("PORT"\)/.test(text)) {
    return withPort(written ?? usualPort, (port) => ({ ...service, env: { PORT: String(port) } }));
  }
  if (written !== undefined) return { ...service, port: written };
  return /\.Run\(\)/.test(text) && text.includes('gin-gonic/gin') ? { ...service, port: usualPort } : undefined;
}

function versionNote(folder: Folder, module: string): string[] {
  const [, version = '', minor] = /^go (1\.(\d+)\S*)/m.exec(module) ?? [];
  if (Number(minor ?? 0) <= packagedMinor) return [];
  return [
    `${named(folder, 'go.mod')} asks for Go ${version}; Debian 12 has 1.${packagedMinor}: name an image with a newer one`,
  ];
}
