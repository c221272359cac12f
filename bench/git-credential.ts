/** `git credential fill` in a workspace, answered by the agent, beside `git --version` there: each a whole process of git. */
import { join } from 'node:path';
import { shellIn } from '../test/support/agent-lab.ts';
import { startFakeGithub } from '../test/support/fake-github/fake-github.ts';
import { createInstallation, type Installation } from '../test/support/installation.ts';
import { compiledProgram } from '../test/support/programs.ts';
import { milliseconds, type Figure } from './figure.ts';
import { summarize } from './statistics.ts';

const mostMs = 20;

export async function benchGitCredential({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  await using github = await startFakeGithub();
  github.addUser('alice');
  const env = { NODE_EXTRA_CA_CERTS: github.bundleFile, NEXUS_TOKEN: '', GITHUB_TOKEN: github.addToken('alice') };
  const { enterpriseUrl: web_url } = github;
  const config = { auth: { mode: 'github' }, github: { api_url: `${web_url}/api/v3`, web_url } };
  await using nexus = await createInstallation({ program: compiledProgram, config, env });
  await nexus.startServer();
  const { exitCode, stdout, stderr } = await nexus.nexus([
    'workspace',
    'create',
    await emptyRepository(nexus),
    '--json',
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  const { workspace_id: id } = JSON.parse(stdout) as { workspace_id: string };
  const answer = await shellIn(id, `su - dev -c '${timesOf(new URL(web_url).host, runs * 5)}'`);
  if (answer.exitCode !== 0) throw new Error(answer.stderr);
  // The first asked for is in no cache.
  const rows = answer.stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ').map((micros) => Number(micros) / 1000));
  const [ours, theirs] = [0, 1].map((column) => summarize(rows.map((row) => row[column] ?? Number.NaN)));
  if (!ours || !theirs) throw new Error('nothing was measured');
  return [
    {
      what: '`git credential fill` in a workspace | `git --version` there',
      ours: milliseconds(ours, 1),
      theirs: milliseconds(theirs, 1),
      compared: `${ours.median.toFixed(1)} ms`,
      bound: `< ${mostMs} ms`,
      isWithin: ours.median < mostMs,
    },
  ];
}

/** Lines of microseconds: of the one, and of the other. */
function timesOf(host: string, times: number): string {
  return `for ((i = 0; i <= ${times}; i++)); do
    start=\${EPOCHREALTIME/./}
    printf "protocol=https\\nhost=${host}\\n\\n" | git credential fill >/dev/null || exit
    middle=\${EPOCHREALTIME/./}
    git --version >/dev/null
    echo $((middle - start)) $((\${EPOCHREALTIME/./} - middle))
  done`;
}

async function emptyRepository(nexus: Installation): Promise<string> {
  const folder = join(nexus.home, 'empty');
  const script = `git init -q "$0" && cd "$0" && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first`;
  const { exitCode, stderr } = await nexus.run('sh', ['-c', script, folder]);
  if (exitCode !== 0) throw new Error(stderr);
  return folder;
}
