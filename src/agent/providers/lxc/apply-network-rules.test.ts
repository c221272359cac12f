import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { applyNetworkRules, networkProblem, removeNetworkRules } from './apply-network-rules.ts';

const range = { range: '10.83.0.0/16', reach: [] };
const path = process.env['PATH'] ?? '';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-rules-'));
  process.env['PATH'] = `${folder}:${path}`;
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

/** Stand-ins that remember rules as the kernel does; with Docker's chain or without. */
async function kernel({ docker }: { docker: boolean }): Promise<void> {
  await writeFile(join(folder, 'docker'), '');
  await program(
    'nft',
    `case $1 in
  -f) cat > ${folder}/table; echo set >> ${folder}/log ;;
  list) cat ${folder}/table 2>/dev/null ;;
  delete) rm ${folder}/table ;;
esac`,
  );
  await program(
    'iptables',
    docker
      ? `shift; case $1 in
  --list-rules) cat ${folder}/docker ;;
  --insert) shift 2; echo "-A DOCKER-USER $*" >> ${folder}/docker; echo docker >> ${folder}/log ;;
  --delete) : > ${folder}/docker ;;
esac`
      : 'exit 1',
  );
}

const log = (): Promise<string> => readFile(join(folder, 'log'), 'utf8');

it('sets the rules once, and again when they are gone', async () => {
  await kernel({ docker: false });
  assert.equal(await networkProblem(range), 'the network rules are not in place');
  await applyNetworkRules(range);
  await applyNetworkRules(range);
  assert.equal(await log(), 'set\n');
  assert.equal(await networkProblem(range), null);
  await removeNetworkRules();
  await removeNetworkRules();
  await applyNetworkRules(range);
  assert.equal(await log(), 'set\nset\n');
});

it('sets them anew for another range', async () => {
  await kernel({ docker: false });
  await applyNetworkRules(range);
  assert.equal(await networkProblem({ range: '10.90.0.0/16', reach: [] }), 'the network rules are not in place');
});

it('leaves the rules of a later version alone', async () => {
  await kernel({ docker: false });
  await writeFile(join(folder, 'table'), `table inet nexus { comment "999 ${'0'.repeat(32)}" }`);
  await applyNetworkRules(range);
  assert.equal(await networkProblem(range), null);
  await writeFile(join(folder, 'table'), `table inet nexus { comment "1 ${'0'.repeat(32)}" }`);
  await applyNetworkRules(range);
  assert.equal(await log(), 'set\n');
});

it('excepts workspaces from what Docker drops', async () => {
  await kernel({ docker: true });
  await applyNetworkRules(range);
  await applyNetworkRules(range);
  assert.equal(await log(), 'set\ndocker\ndocker\n');
  assert.equal(await networkProblem(range), null);
  await writeFile(join(folder, 'docker'), '-N DOCKER-USER\n');
  assert.equal(await networkProblem(range), "Docker's FORWARD chain keeps workspaces offline");
  await removeNetworkRules();
});

it('says why they cannot be set', async () => {
  await program('nft', 'echo "Operation not permitted" >&2; exit 1');
  await assert.rejects(applyNetworkRules(range), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'provider_unavailable');
    assert.match(error.message, /Operation not permitted/);
    return true;
  });
});
