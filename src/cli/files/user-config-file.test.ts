import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { expandHome, nexusPaths } from './nexus-paths.ts';
import { readOptionalFile } from './read-optional-file.ts';
import { readUserConfig, setUserConfigValue } from './user-config-file.ts';

describe('files of a person', () => {
  let folder: string;
  let file: string;
  let told: string;
  const stderr = {
    write: (text: string) => void (told += text),
    stream: new PassThrough(),
    isTerminal: false,
    hasColor: false,
    columns: () => 80,
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus-home-'));
    file = join(folder, '.nexus/config.yaml');
    told = '';
  });
  afterEach(() => rm(folder, { recursive: true }));

  function read() {
    return readUserConfig(file, { stderr, nowMs: 7 });
  }

  test('no file, and an empty one, are no settings', async () => {
    assert.deepEqual(await read(), {});
    await setUserConfigValue(file, ['server'], 'a');
    await writeFile(file, '# nothing yet\n');
    assert.deepEqual(await read(), {});
  });

  test('a value is set, and the rest of the file stays as it is', async () => {
    await setUserConfigValue(file, ['ssh', 'key_path'], '/k');
    await writeFile(file, '# mine\nserver: a # here\nfuture: { x: 1 }\n');
    await chmod(folder, 0o755);
    await setUserConfigValue(file, ['ssh', 'key_path'], '/k');
    assert.equal(await readFile(file, 'utf8'), '# mine\nserver: a # here\nfuture: { x: 1 }\nssh:\n  key_path: /k\n');
    assert.deepEqual(await read(), { server: 'a', future: { x: 1 }, ssh: { key_path: '/k' } });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, '.nexus'))).mode & 0o777, 0o700);
  });

  const unreadable: readonly [text: string, why: RegExp][] = [
    ['server: [', /config\.yaml cannot be read \(.+\); it is kept as .*config\.yaml\.unreadable-7/],
    ['server_port: many', /\(server_port: .+\)/],
    ['just text', /\(it: .+\)/],
  ];
  for (const [text, why] of unreadable) {
    test(`a file that cannot be understood is kept aside: ${text}`, async () => {
      await setUserConfigValue(file, ['server'], 'a');
      await writeFile(file, text);
      assert.deepEqual(await read(), {});
      assert.match(told, why);
      assert.deepEqual(await readdir(join(folder, '.nexus')), ['config.yaml.unreadable-7']);
      assert.equal(await readFile(`${file}.unreadable-7`, 'utf8'), text);
    });
  }

  test('a file that is not there is null, and one that is a folder is an error', async () => {
    assert.equal(await readOptionalFile(join(folder, 'nothing/at/all')), null);
    await assert.rejects(readOptionalFile(folder), { code: 'EISDIR' });
  });

  test('the folders follow the environment', () => {
    assert.equal(nexusPaths({ HOME: '/home/a' }).configFile, '/home/a/.nexus/config.yaml');
    assert.equal(nexusPaths({ HOME: '/home/a', NEXUS_HOME: '/n' }).sshConfigFile, '/n/ssh/config');
    assert.match(nexusPaths({}).home, /\.nexus$/);
    assert.equal(expandHome('~/x', { HOME: '/home/a' }), '/home/a/x');
    assert.equal(expandHome('~', { HOME: '/home/a' }), '/home/a');
    assert.equal(expandHome('x/~', {}), 'x/~');
    assert.match(expandHome('~/x', {}), /\/x$/);
  });
});
