import { named, type Detector, type Folder, type FoundService } from './detector.ts';

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
    const commands = install === undefined ? '' : '.venv/bin/';
    const project = ['requirements.txt', 'pyproject.toml', 'manage.py'].find((path) => folder.has(path)) ?? '';
    return {
      services: found ? [{ ...found.service, command: `${commands}${found.service.command}` }] : [],
      ...(install === undefined
        ? {}
        : { install: [install, found?.install].filter(Boolean).join(' && '), enter: '. .venv/bin/activate' }),
      packages: install === undefined ? [] : ['python3-venv'],
      notes: [
        `${named(folder, project)}: ${found ? `${found.kind} on port ${found.service.port}` : 'Python, no web application found'}`,
      ],
    };
  },
};

type Found = { readonly kind: string; readonly service: FoundService; readonly install?: string };

const django: Found = {
  kind: 'Django',
  service: { name: 'web', command: 'python3 manage.py runserver 0.0.0.0:8000', port: 8000 },
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

function webApplication(folder: Folder): Found | undefined {
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

function applicationIn(folder: Folder, path: string, text: string): Found | undefined {
  const [, variable, framework] = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(FastAPI|Starlette|Flask)\(/m.exec(text) ?? [];
  if (variable === undefined || framework === undefined) {
    return /def create_app\(/.test(text) && /\bflask\b/i.test(text) ? flask(moduleOf(path)) : undefined;
  }
  const target = moduleOf(path);
  if (framework === 'Flask') return flask(variable === 'app' ? target : `${target}:${variable}`);
  const command = `uvicorn ${target}:${variable} --host 0.0.0.0 --port 8000 --reload`;
  const hasServer = /\b(?:uvicorn|fastapi\[)/i.test(
    `${folder.read('requirements.txt') ?? ''}${folder.read('pyproject.toml') ?? ''}`,
  );
  return {
    kind: framework,
    service: { name: 'web', command, port: 8000 },
    ...(hasServer ? {} : { install: '.venv/bin/pip install uvicorn' }),
  };
}

function flask(target: string): Found {
  return {
    kind: 'Flask',
    service: { name: 'web', command: `flask --app ${target} run --debug --host 0.0.0.0 --port 5000`, port: 5000 },
  };
}

function moduleOf(path: string): string {
  return path.replace(/\.py$/, '').replaceAll('/', '.');
}
