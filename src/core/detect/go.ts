import { named, type Detector, type Folder, type FoundService } from './detector.ts';
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
  const text = folder.read(path) ?? '';
  const found = portOf(text);
  if (path === 'main.go') {
    return [{ target: '.', service: { name: found === undefined ? 'app' : 'web', command: 'go run .', ...found } }];
  }
  const name = path.split('/')[1] ?? 'app';
  const target = `./cmd/${name}`;
  return found === undefined
    ? []
    : [{ target, service: { name: toServiceName(name), command: `go run ${target}`, ...found } }];
}

function portOf(text: string): Pick<FoundService, 'port' | 'env'> | undefined {
  const written = firstPort([/"(?:localhost|[\d.]*):(\d{2,5})"/], text);
  const reads = /Getenv\("PORT"\)|LookupEnv\("PORT"\)/.test(text);
  if (reads) return { port: written ?? usualPort, env: { PORT: String(written ?? usualPort) } };
  if (written !== undefined) return { port: written };
  return /\.Run\(\)/.test(text) && text.includes('gin-gonic/gin') ? { port: usualPort } : undefined;
}

function versionNote(folder: Folder, module: string): string[] {
  const [, version = '', minor] = /^go (1\.(\d+)\S*)/m.exec(module) ?? [];
  if (Number(minor ?? 0) <= packagedMinor) return [];
  return [
    `${named(folder, 'go.mod')} asks for Go ${version}; Debian 12 has 1.${packagedMinor}: name an image with a newer one`,
  ];
}
