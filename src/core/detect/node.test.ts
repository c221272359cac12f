import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryFolder, type FoundService } from './detector.ts';
import { node } from './node.ts';

function find(files: Record<string, string>) {
  return node.detect(repositoryFolder(new Map(Object.entries(files)), Object.keys(files)));
}

function line({ name, command, port, env }: FoundService): string {
  const variables = Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`);
  return [name, port, ...variables, command].filter((part) => part !== undefined).join(' ');
}

function manifest(fields: object): string {
  return JSON.stringify(fields);
}

test('nothing without a package.json that can be read', () => {
  assert.equal(find({}), null);
  assert.equal(find({ 'package.json': 'no json' }), null);
  assert.equal(find({ 'package.json': '[]' }), null);
  assert.deepEqual(find({ 'package.json': '{"scripts": 5, "name": 7}' })?.notes, [
    'package.json: no script dev or start',
  ]);
});

test('the server and the port of a script', () => {
  const table: [string, string][] = [
    ['vite', 'web 5173 npm run dev -- --host 0.0.0.0'],
    ['vite --host', 'web 5173 HOST=0.0.0.0 npm run dev'],
    ['vite --port 4000', 'web 4000 npm run dev -- --host 0.0.0.0'],
    ['vite build && vite preview', 'web 4173 npm run dev -- --host 0.0.0.0'],
    ['vite build && node server.js', 'app npm run dev'],
    ['tsc && vite', 'web 5173 npm run dev -- --host 0.0.0.0'],
    ['vite | tee log', 'web 5173 HOST=0.0.0.0 npm run dev'],
    ['next dev', 'web 3000 HOST=0.0.0.0 npm run dev'],
    ['next dev -p 4001', 'web 4001 HOST=0.0.0.0 npm run dev'],
    ['next dev -p4001', 'web 4001 HOST=0.0.0.0 npm run dev'],
    ['cross-env NODE_ENV=development next dev', 'web 3000 HOST=0.0.0.0 npm run dev'],
    ['PORT=4002 react-scripts start', 'web 4002 HOST=0.0.0.0 npm run dev'],
    ['react-scripts start', 'web 3000 HOST=0.0.0.0 npm run dev'],
    ['astro dev', 'web 4321 npm run dev -- --host 0.0.0.0'],
    ['nuxt dev', 'web 3000 HOST=0.0.0.0 npm run dev'],
    ['ng serve', 'web 4200 npm run dev -- --host 0.0.0.0'],
    ['gatsby develop', 'web 8000 npm run dev -- --host 0.0.0.0'],
    ['webpack serve --mode development', 'web 8080 npm run dev -- --host 0.0.0.0'],
    ['npx http-server -p 8081', 'web 8081 HOST=0.0.0.0 npm run dev'],
    ['serve -s build -l 5050', 'web 5050 HOST=0.0.0.0 npm run dev'],
    ['serve -l tcp://0.0.0.0:5051', 'web 5051 HOST=0.0.0.0 npm run dev'],
    ['concurrently "vite" "npm run x"', 'web 5173 HOST=0.0.0.0 npm run dev'],
    ['nodemon --exec "ts-node src/x.ts"', 'app npm run dev'],
    ['node worker.js', 'app npm run dev'],
    ['node server.js --listen 0.0.0.0:7000', 'web 7000 npm run dev'],
    ['php -S 0.0.0.0:7001', 'web 7001 npm run dev'],
  ];
  for (const [dev, expected] of table) {
    const services = find({ 'package.json': manifest({ scripts: { dev } }) })?.services ?? [];
    assert.deepEqual(services.map(line), [expected], dev);
  }
});

test('dev goes before start, and scripts that scripts run are looked into', () => {
  const table: [Record<string, string>, string[]][] = [
    [{ start: 'next start' }, ['web 3000 HOST=0.0.0.0 npm run start']],
    [{ dev: 'next dev', start: 'next start -p 99' }, ['web 3000 HOST=0.0.0.0 npm run dev']],
    [{ dev: '  ', start: 'vite' }, ['web 5173 npm run start -- --host 0.0.0.0']],
    [{ dev: 'npm run serve', serve: 'vite --port 4000' }, ['web 4000 HOST=0.0.0.0 npm run dev']],
    [{ dev: 'run-p watch', watch: 'yarn dev' }, ['app npm run dev']],
    [{ test: 'x' }, []],
  ];
  for (const [scripts, expected] of table) {
    assert.deepEqual(find({ 'package.json': manifest({ scripts }) })?.services.map(line), expected);
  }
});

test('the port of a server of its own is looked for in its entry file', () => {
  const start = { scripts: { start: 'node ./server.js' } };
  const table: [object, Record<string, string>, string][] = [
    [start, { 'server.js': 'app.listen(4000)' }, 'web 4000 npm run start'],
    [start, { 'server.js': 'listen({ port: 4001 })' }, 'web 4001 npm run start'],
    [start, { 'server.js': 'const port = 4002' }, 'web 4002 npm run start'],
    [start, { 'server.js': 'process.env.PORT || 4003' }, 'web 4003 PORT=4003 npm run start'],
    [start, { 'server.js': 'process.env["PORT"] ?? "4004"' }, 'web 4004 PORT=4004 npm run start'],
    [start, { 'server.js': 'listen(process.env.PORT)' }, 'web 3000 PORT=3000 npm run start'],
    [start, { 'server.js': 'listen(99999)' }, 'app npm run start'],
    [{ ...start, dependencies: { express: '4' } }, {}, 'web 3000 PORT=3000 npm run start'],
    [{ scripts: { start: 'node .' }, main: 'lib/x.js' }, { 'lib/x.js': 'x.listen(4005)' }, 'web 4005 npm run start'],
    [{ scripts: { start: 'tsx watch .' } }, { 'src/index.ts': 'x.listen(4006)' }, 'web 4006 npm run start'],
  ];
  for (const [fields, files, expected] of table) {
    const services = find({ 'package.json': manifest(fields), ...files })?.services ?? [];
    assert.deepEqual(services.map(line), [expected], JSON.stringify(files));
  }
});

test('a server can be told another port where it takes one', () => {
  const table: [object, Record<string, string>, string | undefined][] = [
    [{ scripts: { dev: 'vite' } }, {}, 'web 9000 npm run dev -- --host 0.0.0.0 --port 9000'],
    [{ scripts: { dev: 'next dev' } }, {}, 'web 9000 HOST=0.0.0.0 PORT=9000 npm run dev'],
    [{ scripts: { dev: 'vite --port 1234' } }, {}, undefined],
    [{ scripts: { start: 'node server.js' } }, { 'server.js': 'env.PORT' }, 'web 9000 PORT=9000 npm run start'],
    [{ scripts: { start: 'node server.js' } }, { 'server.js': 'x.listen(80)' }, undefined],
  ];
  for (const [fields, files, expected] of table) {
    const [service] = find({ 'package.json': manifest(fields), ...files })?.services ?? [];
    const moved = service?.atPort?.(9000);
    assert.equal(moved && line(moved), expected);
  }
});

test('what installs, by the lock file', () => {
  const table: [object, string[], string | undefined, string?][] = [
    [{}, ['package-lock.json'], 'npm ci'],
    [{}, ['npm-shrinkwrap.json'], 'npm ci'],
    [{}, [], 'npm install'],
    [{}, ['pnpm-lock.yaml'], 'npx --yes pnpm@9 install --frozen-lockfile'],
    [
      { packageManager: 'pnpm@10.1.0+sha512.abc' },
      ['pnpm-lock.yaml'],
      'npx --yes pnpm@10.1.0 install --frozen-lockfile',
    ],
    [{ packageManager: 'pnpm@; rm -rf /' }, ['pnpm-lock.yaml'], 'npx --yes pnpm@9 install --frozen-lockfile'],
    [{}, ['yarn.lock'], 'npx --yes yarn@1 install --frozen-lockfile'],
    [{ packageManager: 'yarn@1.22.22' }, ['yarn.lock'], 'npx --yes yarn@1.22.22 install --frozen-lockfile'],
    [
      {},
      ['yarn.lock', '.yarnrc.yml'],
      'npx --yes --package=@yarnpkg/cli-dist@4 yarn install --immutable',
      'npx --yes --package=@yarnpkg/cli-dist@4 yarn run dev',
    ],
    [
      { packageManager: 'yarn@4.1.0' },
      ['yarn.lock', '.yarn/releases/yarn-4.1.0.cjs'],
      'node .yarn/releases/yarn-4.1.0.cjs install --immutable',
      'node .yarn/releases/yarn-4.1.0.cjs run dev',
    ],
    [{}, ['bun.lock'], 'npx --yes bun@1 install --frozen-lockfile'],
    [{}, ['bun.lockb'], 'npx --yes bun@1 install --frozen-lockfile'],
    [{ dependencies: {} }, ['package-lock.json'], undefined],
  ];
  for (const [fields, files, install, command = 'npm run dev'] of table) {
    const text = manifest({ scripts: { dev: 'node x.js' }, dependencies: { x: '1' }, ...fields });
    const found = find({ 'package.json': text, ...Object.fromEntries(files.map((file) => [file, ''])) });
    assert.equal(found?.install, install, JSON.stringify(files));
    assert.equal(found?.services[0]?.command, command);
  }
});

test('each package of a monorepo with a script is a service of its folder', () => {
  const packages = {
    'apps/web/package.json': manifest({ name: '@x/web', scripts: { dev: 'next dev' } }),
    'apps/api/package.json': manifest({ scripts: { start: 'node server.js' }, dependencies: { fastify: '5' } }),
    'packages/ui/package.json': manifest({ scripts: { build: 'tsc' } }),
    'other/old/package.json': manifest({ scripts: { dev: 'vite' } }),
  };
  const expected = ['api in apps/api npm run start', 'web in apps/web npm run dev'];
  const table: [object, Record<string, string>, string[]][] = [
    [{ workspaces: ['apps/*', 'packages/*'], scripts: { dev: 'turbo dev' } }, {}, expected],
    [{ workspaces: { packages: ['./apps/*/'] } }, {}, expected],
    [{}, { 'pnpm-workspace.yaml': 'packages:\n  - "apps/**"\n' }, expected],
    [{ workspaces: ['apps/*', '!apps/web'] }, {}, ['api in apps/api npm run start']],
    [{ workspaces: ['apps/a*'] }, {}, ['api in apps/api npm run start']],
    [{ workspaces: ['*/*/*/*/*'], scripts: { dev: 'node x' } }, {}, ['app in  npm run dev']],
    [{ scripts: { dev: 'node x' } }, { 'pnpm-workspace.yaml': '? ? ?' }, ['app in  npm run dev']],
    [{ scripts: { dev: 'node x' } }, { 'pnpm-workspace.yaml': 'packages: 5' }, ['app in  npm run dev']],
  ];
  for (const [fields, files, services] of table) {
    const found = find({ 'package.json': manifest(fields), ...files, ...packages });
    assert.deepEqual(
      found?.services.map(({ name, cwd, command }) => `${name} in ${cwd ?? ''} ${command}`),
      services,
      JSON.stringify(fields),
    );
  }
});
