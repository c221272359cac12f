/** Nexus is developed in Nexus: a clone of this project becomes a workspace in which its unit tests pass. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { join } from 'node:path';
import { createInstallation } from '../support/installation.ts';
import { compiledProgram, repositoryRoot } from '../support/programs.ts';

it('makes a workspace of its own repository, and its unit tests pass there', async () => {
  await using nexus = await createInstallation({ program: compiledProgram });
  await nexus.startServer();
  const clone = join(nexus.home, 'nexus');
  const cloned = await nexus.run('git', ['clone', '--quiet', repositoryRoot, clone]);
  assert.equal(cloned.exitCode, 0, cloned.stderr);

  const created = await nexus.nexus(['workspace', 'create', '.', '--name', 'own'], { cwd: clone, timeoutMs: 280_000 });
  assert.equal(created.exitCode, 0, created.stderr);
  const tests = await nexus.nexus(['workspace', 'exec', 'own', '--', 'make', 'test-unit'], { timeoutMs: 280_000 });
  assert.equal(tests.exitCode, 0, tests.stdout.split('\n').slice(-60).join('\n'));
  assert.match(tests.stdout, /^\d+ passed, 0 failed/m);
});
