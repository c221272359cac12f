import { named, withPort, type Detector, type FoundService } from './detector.ts';
import { portInCommand } from './port-in-command.ts';
import { toServiceName } from './service-name.ts';

/** As foreman numbers them: the first process gets 5000, the next 5100. */
const firstPort = 5000;
const portStep = 100;
const longestCommand = 4_000;

/** A process a line (`web: command`), as Heroku and foreman read it. `release` is run once before the others. */
export const procfile: Detector = {
  name: 'Procfile',
  kind: 'declared',
  detect(folder) {
    const text = folder.read('Procfile');
    if (text === undefined) return null;
    const processes = text.split('\n').flatMap((line) => {
      const [, name, command] = /^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(line.trim()) ?? [];
      return name === undefined || command === undefined || command.length > longestCommand ? [] : [{ name, command }];
    });
    if (processes.length === 0) return null;
    const release = processes.find(({ name }) => name === 'release');
    const services = processes.filter(({ name }) => name !== 'release').map(toService);
    return {
      services,
      ...(release ? { install: release.command } : {}),
      packages: [],
      notes: [`${named(folder, 'Procfile')}: ${services.map(describe).join(', ')}`],
    };
  },
};

/** Only `web` is known to listen; the others get a port in case they do. */
function toService({ name, command }: { name: string; command: string }, index: number): FoundService {
  const explicit = portInCommand(command);
  const build = (port: number): FoundService => ({ name: toServiceName(name), command, env: { PORT: String(port) } });
  if (explicit !== undefined) return { ...build(explicit), ...(name === 'web' ? { port: explicit } : {}) };
  const service = withPort(firstPort + portStep * index, build);
  if (name === 'web') return service;
  const { port: _, ...silent } = service;
  return silent;
}

function describe({ name, port }: FoundService): string {
  return port === undefined ? name : `${name} on port ${port}`;
}
