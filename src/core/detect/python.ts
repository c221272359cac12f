import { named, withPort, type Detector, type Folder } from './detector.ts';

const entryFiles = ['main.py', 'app.py', 'asgi.py', 'wsgi.py', 'server.py'];
const entryFolders = ['', 'app', 'src', 'api', 'src/app', 'backend'];

/** Django, FastAPI and Flask applications, in a virtual environment of the folder. */
export const python: Detector = {
  name: 'Python',
  kind: 'language',
  detect(folder) {
    const install = installCommand(folder);
    const manages = folder.has('manage.py');
    if (install === undefined && !manages) return null;
    const found = manages ? django : webApplication(folder);
    const programs = install === undefined ? '' : '.venv/bin/';
    const project = ['requirements.txt', 'pyproject.toml', 'manage.py'].find((path) => folder.has(path)) ?? '';
    return {
      services: found
        ? [withPort(found.port, (port) => ({ name: 'web', command: programs + found.command(port) }))]
        : [],
      ...(install === undefined
        ? {}
        : { install: [install, found?.install].filter(Boolean).join(' && '), enter: '. .venv/bin/activate' }),
      packages: install === undefined ? [] : ['python3-venv'],
      notes: [
        `${named(folder, project)}: ${found ? `${found.framework} on port ${found.port}` : 'Python, no web application found'}`,
      ],
    };
  },
};

type Application = {
  readonly framework: string;
  readonly port: number;
  /** Begins with a program of the environment. */
  readonly command: (port: number) => string;
  readonly install?: string;
};

const django: Application = {
  framework: 'Django',
  port: 8000,
  command: (port) => `python3 manage.py runserver 0.0.0.0:${port}`,
};

/** The `.gitignore` keeps the environment out of what git sees as uncommitted. */
const makeEnvironment = "python3 -m venv .venv && echo '*' > .venv/.gitignore";

function installCommand(folder: Folder): string | undefined {
  const project = folder.read('pyproject.toml');
  if (folder.has('uv.lock')) return `${makeEnvironment} && .venv/bin/pip install uv && .venv/bin/uv sync`;
  if (project !== undefined && (folder.has('poetry.lock') || project.includes('[tool.poetry]'))) {
    return `${makeEnvironment} && .venv/bin/pip install poetry && . .venv/bin/activate && poetry install --no-root`;
  }
  if (folder.has('requirements.txt')) return `${makeEnvironment} && .venv/bin/pip install -r requirements.txt`;
  if (project !== undefined && /^\[(?:project|build-system)\]/m.test(project))
    return `${makeEnvironment} && .venv/bin/pip install -e .`;
  return undefined;
}

function webApplication(folder: Folder): Application | undefined {
  for (const inside of entryFolders) {
    for (const file of entryFiles) {
      const path = inside === '' ? file : `${inside}/${file}`;
      const text = folder.read(path);
      const found = text === undefined ? undefined : applicationIn(folder, path, text);
      if (found) return found;
    }
  }
  return undefined;
}

function applicationIn(folder: Folder, path: string, text: string): Application | undefined {
  const [, variable, framework] = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(FastAPI|Starlette|Flask)\(/m.exec(text) ?? [];
  if (variable === undefined || framework === undefined) {
    return /def create_app\(/.test(text) && /\bflask\b/i.test(text) ? flask(moduleOf(path)) : undefined;
  }
  const target = moduleOf(path);
  if (framework === 'Flask') return flask(variable === 'app' ? target : `${target}:${variable}`);
  const hasServer = /\b(?:uvicorn|fastapi\[)/i.test(
    `${folder.read('requirements.txt') ?? ''}${folder.read('pyproject.toml') ?? ''}`,
  );
  return {
    framework,
    port: 8000,
    command: (port) => `uvicorn ${target}:${variable} --host 0.0.0.0 --port ${port} --reload`,
    ...(hasServer ? {} : { install: '.venv/bin/pip install uvicorn' }),
  };
}

function flask(target: string): Application {
  return {
    framework: 'Flask',
    port: 5000,
    command: (port) => `flask --app ${target} run --debug --host 0.0.0.0 --port ${port}`,
  };
}

function moduleOf(path: string): string {
  return path.replace(/\.py$/, '').replaceAll('/', '.');
}
