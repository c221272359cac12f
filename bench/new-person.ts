/** A person with a GitHub account, an empty home and an editor that does nothing, at a server in GitHub mode. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FakeGithub } from '../test/support/fake-github/fake-github.ts';
import { createInstallation, type Installation } from '../test/support/installation.ts';
import { compiledProgram } from '../test/support/programs.ts';

export type NewPerson = AsyncDisposable & {
  readonly nexus: Installation;
  readonly token: string;
  /** Of that workspace, when there is one. */
  endSharedSsh(workspace: string): Promise<void>;
};

export async function newPerson(github: FakeGithub, login: string): Promise<NewPerson> {
  const token = github.addToken(login, { scopes: ['repo', 'read:org', 'user:email', 'admin:public_key'] });
  const { enterpriseUrl: web_url, bundleFile } = github;
  const config = { auth: { mode: 'github' }, github: { api_url: `${web_url}/api/v3`, web_url } };
  const env = { NODE_EXTRA_CA_CERTS: bundleFile, NEXUS_TOKEN: '', GITHUB_TOKEN: token };
  const nexus = await createInstallation({ program: compiledProgram, config, env });
  const bin = join(nexus.home, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'code'), '#!/bin/sh\n', { mode: 0o755 });
  await nexus.startServer();
  const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
  const used = new Set<string>();
  async function endSharedSsh(workspace: string): Promise<void> {
    used.add(workspace);
    await nexus.run('ssh', ['-F', join(nexus.home, '.ssh/config'), '-O', 'exit', `nexus-${workspace}`]);
  }
  return {
    nexus: { ...nexus, nexus: (args, options) => nexus.nexus(args, { ...options, env: { PATH } }) },
    token,
    endSharedSsh,
    async [Symbol.asyncDispose]() {
      for (const workspace of used) await endSharedSsh(workspace);
      await nexus[Symbol.asyncDispose]();
    },
  };
}
