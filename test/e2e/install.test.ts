/** The compiled server gives its own program to others: the script with which they install it, as they run it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstallation } from '../support/installation.ts';
import { compiledProgram } from '../support/programs.ts';

test('a server installs its own program on another machine, which then knows the server', async () => {
  const config = { gateway: { embedded: false }, node: { embedded: false } };
  await using installation = await createInstallation({ program: compiledProgram, config });
  await installation.startServer();
  const { home, url } = installation;
  const script = await (await fetch(`${url}/install.sh`)).text();
  const { exitCode, stderr } = await installation.run('sh', [], { input: script });
  assert.deepEqual([exitCode, stderr], [0, '']);
  const installed = join(home, '.local/bin/nexus');
  const [given, own] = await Promise.all([readFile(installed), readFile(compiledProgram[0] ?? '')]);
  assert.equal(given.equals(own), true);
  // What it knows of the server is what the script wrote.
  const known = ['-u', 'NEXUS_SERVER', '-u', 'NEXUS_DATA_DIR', `NEXUS_TOKEN=${await installation.token()}`];
  const status = await installation.run('env', [...known, installed, 'server', 'status']);
  assert.equal(status.exitCode, 0, status.stderr);
  assert.match(status.stdout, new RegExp(`^Server +${url}, `));
});
