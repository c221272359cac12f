import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { serviceSpec } from '../../contract/service-spec.ts';
import { detectServices } from './detect.ts';
import { toServiceSpec } from './detector.ts';

function detect(files: Record<string, string>) {
  const { services, ...rest } = detectServices(new Map(Object.entries(files)), Object.keys(files));
  return { services: services.map((service) => serviceSpec.parse(toServiceSpec(service))), ...rest };
}

/** Name, command and port of each service, in a line each. */
function lines(files: Record<string, string>): string[] {
  return detect(files).services.map(({ name, command, port, cwd }) =>
    [name, port, cwd === undefined ? undefined : `in ${cwd}`, command].filter((part) => part !== undefined).join(' '),
  );
}

const vite = '{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}';

test('nothing is found where nothing is', () => {
  for (const files of [{}, { 'README.md': '' }, { 'package.json': '{}' }, { Procfile: '# nothing' }]) {
    const { services, notes } = detect(files);
    assert.deepEqual(services, []);
    assert.equal(notes.at(-1), 'No service was found.');
  }
});

test('languages are taken together, each service with a name and a port of its own', () => {
  const files = { 'package.json': vite, 'package-lock.json': '', 'manage.py': '', 'requirements.txt': 'django' };
  const found = detect(files);
  assert.deepEqual(lines(files), [
    'web 5173 npm run dev -- --host 0.0.0.0',
    'web-2 8000 .venv/bin/python3 manage.py runserver 0.0.0.0:8000',
  ]);
  assert.equal(
    found.preStart,
    "npm ci && python3 -m venv .venv && echo '*' > .venv/.gitignore && .venv/bin/pip install -r requirements.txt",
  );
  assert.deepEqual(found.packages, ['python3-venv']);
  assert.deepEqual(found.notes, ['package.json: script dev (Vite)', 'requirements.txt: Django on port 8000']);
});

test('a Procfile stands for the services of the languages, after their installation', () => {
  const files = {
    Procfile: 'web: gunicorn app:app\nrelease: python manage.py migrate\n',
    'requirements.txt': 'gunicorn',
    'app.py': 'app = Flask(__name__)',
    'package.json': vite,
  };
  assert.deepEqual(lines(files), [
    'web 5000 export PATH="$PWD/node_modules/.bin:$PATH" && . .venv/bin/activate && gunicorn app:app',
  ]);
  const { preStart } = detect(files);
  assert.match(preStart ?? '', /^npm install && python3 -m venv/);
  assert.match(preStart ?? '', /&& \. \.venv\/bin\/activate && python manage.py migrate$/);
});

test('static files are served when there is nothing else', () => {
  assert.deepEqual(lines({ 'index.html': '' }), ['web 8000 python3 -m http.server 8000']);
  assert.deepEqual(lines({ 'public/index.html': '' }), ['web 8000 python3 -m http.server 8000 --directory public']);
  assert.deepEqual(lines({ 'index.html': '', 'package.json': vite }), ['web 5173 npm run dev -- --host 0.0.0.0']);
  assert.deepEqual(lines({ 'index.html': '', 'package.json': '{}' }), ['web 8000 python3 -m http.server 8000']);
});

test('a repository of several projects: each folder is one', () => {
  const files = {
    'README.md': '',
    'backend/requirements.txt': 'fastapi[standard]',
    'backend/main.py': 'app = FastAPI()',
    'frontend/package.json': vite,
    'frontend/package-lock.json': '',
    "it's here/package.json": vite,
    'docs/package.json': vite,
    'examples/package.json': vite,
    '.hidden/package.json': vite,
  };
  assert.deepEqual(lines(files), [
    'backend 8000 in backend .venv/bin/uvicorn main:app --host 0.0.0.0 --port 8000 --reload',
    'frontend 5173 in frontend npm run dev -- --host 0.0.0.0',
    "it-s-here 5174 in it's here npm run dev -- --host 0.0.0.0 --port 5174",
  ]);
  const { preStart } = detect(files);
  assert.match(preStart ?? '', /^\(cd backend && python3 -m venv/);
  assert.match(preStart ?? '', /&& \(cd frontend && npm ci\) && \(cd 'it'\\''s here' && npm install\)$/);
});

test('a folder with several services gives each its name', () => {
  assert.deepEqual(lines({ 'backend/Procfile': 'web: a\nworker: b' }), [
    'backend-web 5000 in backend a',
    'backend-worker in backend b',
  ]);
});

test('a service that cannot be told another port is left out, with a note', () => {
  const server = '{"scripts": {"start": "node server.js"}}';
  const files = {
    'a/package.json': server,
    'a/server.js': 'listen(4000)',
    'b/package.json': server,
    'b/server.js': 'x.listen(4000)',
  };
  const listening = { ...files, 'a/server.js': 'x.listen(4000)' };
  assert.deepEqual(lines(listening), ['a 4000 in a npm run start']);
  assert.deepEqual(detect(listening).notes.at(-1), 'Left out: b (npm run start), for another service has port 4000.');
});

test('not more services than are taken', () => {
  const text = Array.from({ length: 80 }, (_, index) => `p${index}: run`).join('\n');
  assert.equal(detect({ Procfile: text }).services.length, 50);
});

test('names that are long or the same stay apart and valid', () => {
  const long = 'x'.repeat(60);
  const files = {
    'package.json': '{"workspaces": ["*/*"]}',
    [`a/${long}/package.json`]: vite,
    [`b/${long}/package.json`]: vite,
    [`c/${'!'.repeat(3)}/package.json`]: vite,
  };
  const names = detect(files).services.map(({ name }) => name);
  assert.deepEqual(names, ['x'.repeat(40), `${'x'.repeat(37)}-2`, 'app']);
});

test('whatever the files hold, detection ends soon and gives valid services', () => {
  const path = fc.constantFrom(
    'package.json',
    'Procfile',
    'go.mod',
    'main.go',
    'cmd/a/main.go',
    'requirements.txt',
    'pyproject.toml',
    'app.py',
    'manage.py',
    'index.html',
    'a/package.json',
    'a/Procfile',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'yarn.lock',
    'uv.lock',
    'server.js',
  );
  const part = fc.constantFrom(
    'PORT=',
    '4000',
    ' ',
    'npm run dev ',
    'npm run a ',
    'vite',
    'next dev',
    '--port ',
    '-p ',
    'a=',
    ':',
    '{',
    '}',
    '[',
    ']',
    '"',
    '? ',
    '\n',
    'web: ',
    'listen(',
    'process.env.PORT || ',
    'app = FastAPI(',
    'Getenv("PORT")',
    '":8080"',
    '*',
    '/',
    'x',
    '$',
    '`',
    "'",
    '../',
  );
  const text = fc
    .tuple(fc.array(part, { maxLength: 10 }), fc.integer({ min: 1, max: 3_000 }))
    .map(([parts, times]) => parts.join('').repeat(times));
  const script = text.map((dev) =>
    JSON.stringify({ scripts: { dev, a: 'npm run dev' }, workspaces: [dev.slice(0, 300), '*'] }),
  );
  fc.assert(
    fc.property(fc.dictionary(path, fc.oneof(text, script), { maxKeys: 6 }), (files) => {
      const start = performance.now();
      detect(files);
      assert(performance.now() - start < 1_500);
    }),
    { numRuns: 300 },
  );
});
