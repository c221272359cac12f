import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryFolder, type Detector } from './detector.ts';
import { go } from './go.ts';
import { portInCommand } from './port-in-command.ts';
import { procfile } from './procfile.ts';
import { python } from './python.ts';
import { staticFiles } from './static.ts';

function find(detector: Detector, files: Record<string, string>) {
  return detector.detect(repositoryFolder(new Map(Object.entries(files)), Object.keys(files)));
}

function lines(detector: Detector, files: Record<string, string>): string[] | undefined {
  return find(detector, files)?.services.map(({ name, command, port, env }) => {
    const variables = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`);
    return [name, port, ...variables, command].filter((part) => part !== undefined).join(' ');
  });
}

test('the port that a command is told', () => {
  const table: [string, number | undefined][] = [
    ['serve --port 4000', 4000],
    ['serve --port=4000', 4000],
    ['serve -p 4000', 4000],
    ['PORT=4000 serve', 4000],
    ['cross-env API_PORT=4000 serve', 4000],
    ['gunicorn -b 0.0.0.0:4000', 4000],
    ['php -S localhost:4000', 4000],
    ['serve :4000', 4000],
    ['mkdir -p 2024-01', undefined],
    ['docker run -p 80:80 x', undefined],
    ['serve --port $PORT', undefined],
    ['serve --port 99999', undefined],
    ['node x.js', undefined],
    ['echo 12:30 x', undefined],
  ];
  for (const [command, port] of table) assert.equal(portInCommand(command), port, command);
});

test('Procfile: each process, web with a port', () => {
  assert.equal(find(procfile, {}), null);
  assert.equal(find(procfile, { Procfile: '\n# x\n' }), null);
  const text = 'web: bundle exec puma\n# comment\nworker:  sidekiq -c 5\nrelease: rake db:migrate\nbad line\nempty:\n';
  assert.deepEqual(lines(procfile, { Procfile: text }), [
    'web 5000 PORT=5000 bundle exec puma',
    'worker PORT=5100 sidekiq -c 5',
  ]);
  assert.equal(find(procfile, { Procfile: text })?.install, 'rake db:migrate');
  assert.deepEqual(find(procfile, { Procfile: text })?.notes, ['Procfile: web on port 5000, worker']);
  assert.deepEqual(lines(procfile, { Procfile: 'web: serve -p 4000' }), ['web 4000 PORT=4000 serve -p 4000']);
  assert.equal(find(procfile, { Procfile: `web: ${'x'.repeat(5_000)}` }), null);
});

test('Python: Django, FastAPI, Flask', () => {
  const requirements = { 'requirements.txt': 'uvicorn' };
  const table: [Record<string, string>, string[] | undefined][] = [
    [{}, undefined],
    [{ 'app.py': 'app = Flask(__name__)' }, undefined],
    [{ 'manage.py': '' }, ['web 8000 python3 manage.py runserver 0.0.0.0:8000']],
    [{ 'manage.py': '', ...requirements }, ['web 8000 .venv/bin/python3 manage.py runserver 0.0.0.0:8000']],
    [requirements, []],
    [{ ...requirements, 'main.py': 'print()' }, []],
    [
      { ...requirements, 'main.py': 'app = FastAPI(title="x")' },
      ['web 8000 .venv/bin/uvicorn main:app --host 0.0.0.0 --port 8000 --reload'],
    ],
    [
      { ...requirements, 'app/main.py': 'api: FastAPI = fastapi.FastAPI()' },
      ['web 8000 .venv/bin/uvicorn app.main:api --host 0.0.0.0 --port 8000 --reload'],
    ],
    [
      { ...requirements, 'app.py': 'app = Flask(__name__)' },
      ['web 5000 .venv/bin/flask --app app run --debug --host 0.0.0.0 --port 5000'],
    ],
    [
      { ...requirements, 'wsgi.py': 'server = flask.Flask(__name__)' },
      ['web 5000 .venv/bin/flask --app wsgi:server run --debug --host 0.0.0.0 --port 5000'],
    ],
    [
      { ...requirements, 'app.py': 'from flask import Flask\ndef create_app():\n  pass' },
      ['web 5000 .venv/bin/flask --app app run --debug --host 0.0.0.0 --port 5000'],
    ],
    [{ ...requirements, 'app.py': 'def create_app(): pass' }, []],
  ];
  for (const [files, expected] of table) assert.deepEqual(lines(python, files), expected, JSON.stringify(files));
});

test('Python: what installs', () => {
  const environment = "python3 -m venv .venv && echo '*' > .venv/.gitignore";
  const table: [Record<string, string>, string | undefined][] = [
    [{ 'requirements.txt': '' }, `${environment} && .venv/bin/pip install -r requirements.txt`],
    [{ 'pyproject.toml': '[project]\n' }, `${environment} && .venv/bin/pip install -e .`],
    [{ 'pyproject.toml': '[tool.black]\n', 'manage.py': '' }, undefined],
    [
      { 'pyproject.toml': '[project]', 'uv.lock': '' },
      `${environment} && .venv/bin/pip install uv && .venv/bin/uv sync`,
    ],
    [
      { 'pyproject.toml': '[tool.poetry]' },
      `${environment} && .venv/bin/pip install poetry && . .venv/bin/activate && poetry install --no-root`,
    ],
    [
      { 'pyproject.toml': '[project]', 'poetry.lock': '' },
      `${environment} && .venv/bin/pip install poetry && . .venv/bin/activate && poetry install --no-root`,
    ],
    [
      { 'requirements.txt': 'starlette', 'main.py': 'app = Starlette()' },
      `${environment} && .venv/bin/pip install -r requirements.txt && .venv/bin/pip install uvicorn`,
    ],
  ];
  for (const [files, install] of table) {
    const found = find(python, files);
    assert.equal(found?.install, install);
    assert.deepEqual(found?.packages, install === undefined ? [] : ['python3-venv']);
  }
  assert.deepEqual(find(python, { 'requirements.txt': '' })?.notes, [
    'requirements.txt: Python, no web application found',
  ]);
});

test('Go: the main package of the root, and those in cmd that listen', () => {
  const module = { 'go.mod': 'module x\n\ngo 1.19\n' };
  const table: [Record<string, string>, string[] | undefined][] = [
    [{ 'main.go': '' }, undefined],
    [module, []],
    [{ ...module, 'main.go': 'func main() {}' }, ['app go run .']],
    [{ ...module, 'main.go': 'http.ListenAndServe(":8081", nil)' }, ['web 8081 go run .']],
    [{ ...module, 'main.go': 'os.Getenv("PORT")' }, ['web 8080 PORT=8080 go run .']],
    [{ ...module, 'main.go': 'os.LookupEnv("PORT"); addr := ":9001"' }, ['web 9001 PORT=9001 go run .']],
    [{ ...module, 'main.go': '"github.com/gin-gonic/gin" r.Run()' }, ['web 8080 go run .']],
    [
      { ...module, 'cmd/server/main.go': '"localhost:9000"', 'cmd/tool/main.go': '' },
      ['server 9000 go run ./cmd/server'],
    ],
  ];
  for (const [files, expected] of table) assert.deepEqual(lines(go, files), expected, JSON.stringify(files));
  const found = find(go, { ...module, 'main.go': '' });
  assert.deepEqual(found?.packages, ['golang']);
  assert.equal(found?.install, 'go build -o /dev/null .');
  assert.equal(find(go, module)?.install, 'go mod download');
  assert.deepEqual(found?.notes, ['go.mod: app (go run .)']);
  assert.deepEqual(find(go, { 'go.mod': 'go 1.23.4' })?.notes, [
    'go.mod: no main package that listens',
    'go.mod asks for Go 1.23.4; Debian 12 has 1.19: name an image with a newer one',
  ]);
});

test('services can be told another port', () => {
  const table: [Detector, Record<string, string>, string | undefined][] = [
    [procfile, { Procfile: 'web: run' }, 'run'],
    [python, { 'manage.py': '' }, 'python3 manage.py runserver 0.0.0.0:9000'],
    [go, { 'go.mod': '', 'main.go': 'os.Getenv("PORT")' }, 'go run .'],
    [go, { 'go.mod': '', 'main.go': '":8080"' }, undefined],
    [staticFiles, { 'index.html': '' }, 'python3 -m http.server 9000'],
  ];
  for (const [detector, files, command] of table) {
    const moved = find(detector, files)?.services[0]?.atPort?.(9000);
    assert.equal(moved?.command, command);
    assert.equal(moved?.port, command === undefined ? undefined : 9000);
  }
});
