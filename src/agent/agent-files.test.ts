import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadClusterId, loadStreamTarget, saveClusterId, saveProcess, saveStreamTarget } from './agent-files.ts';
import { createWorkspaceRecords } from './workspace-records.ts';

describe("the agent's files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus-files-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('know the cluster after the first welcome', async () => {
    assert.equal(await loadClusterId(folder), null);
    await saveClusterId(folder, 'c-1');
    assert.equal(await loadClusterId(folder), 'c-1');
  });

  it('keep where streams are parked, for nobody else to read', async () => {
    assert.equal(await loadStreamTarget(folder), null);
    const target = { host: '127.0.0.1', port: 4000, key: 'AAAA' };
    await saveStreamTarget(folder, target);
    assert.deepEqual(await loadStreamTarget(folder), target);
    assert.equal((await stat(join(folder, 'streams.json'))).mode & 0o777, 0o600);
    await saveStreamTarget(folder, null);
    assert.equal(await loadStreamTarget(folder), null);
    await writeFile(join(folder, 'streams.json'), '{');
    assert.equal(await loadStreamTarget(folder), null);
  });

  it('name the process', async () => {
    await saveProcess(folder);
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'agent.json'), 'utf8')), { pid: process.pid });
  });

  it('record what an instance was made of', async () => {
    const records = createWorkspaceRecords(join(folder, 'workspaces'));
    assert.equal(await records.read('ws-1'), null);
    await records.write('ws-1', { image: 'debian:12', packages: ['jq'] });
    assert.deepEqual(await records.read('ws-1'), { image: 'debian:12', packages: ['jq'] });
    await records.remove('ws-1');
    await records.remove('ws-1');
    assert.equal(await records.read('ws-1'), null);
  });
});
