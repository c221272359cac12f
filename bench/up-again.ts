/** `nexus up OWNER/REPO` again when the workspace runs: GitHub is asked, SSH is tried, the editor is started. */
import { createClient } from '../src/contract/api-client.ts';
import { startFakeGithub } from '../test/support/fake-github/fake-github.ts';
import { until, type Installation } from '../test/support/installation.ts';
import { milliseconds, type Figure } from './figure.ts';
import { newPerson } from './new-person.ts';
import { summarize, timed } from './statistics.ts';
import { emptyBundle } from '../test/support/empty-bundle.ts';

const mostMs = 2_000;

export async function benchUpAgain({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  await using github = await startFakeGithub();
  github.addUser('alice');
  await github.addRepository('alice/shop', { files: { 'README.md': 'Shop' } });
  await using person = await newPerson(github, 'alice');
  const { nexus, token } = person;
  await addWorkspace(nexus, { token, url: `${github.enterpriseUrl}/alice/shop.git` });
  const up = async (): Promise<void> => {
    const { exitCode, stderr } = await nexus.nexus(['up', 'alice/shop', '--editor', 'code']);
    if (exitCode !== 0) throw new Error(stderr);
  };
  await up();
  const again = await timesOf(runs, up);
  const alone: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await person.endSharedSsh('shop');
    alone.push(await timed(up));
  }
  return [
    figure('`nexus up` again when the workspace runs', again),
    figure('the same when no SSH connection is shared any more', alone),
  ];
}

/** Sent, as a workspace reaches nothing of this machine. */
async function addWorkspace(nexus: Installation, { token, url }: { token: string; url: string }): Promise<void> {
  const client = createClient({ baseUrl: nexus.url, token });
  const repo = { owner: 'alice', name: 'shop', url, source: 'upload' as const };
  const body = { workspace_name: 'shop', repo };
  const { workspace_id: id } = await client.call('createWorkspace', { body });
  await client.putSource(id, await emptyBundle(nexus));
  await until(
    async () => (await client.call('getWorkspace', { params: { id } })).status === 'running',
    'the workspace to run',
  );
}

async function timesOf(runs: number, action: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await timed(action));
  return times;
}

function figure(what: string, times: readonly number[]): Figure {
  const ours = summarize(times);
  const compared = `${ours.median.toFixed(0)} ms`;
  return {
    what,
    ours: milliseconds(ours),
    theirs: '',
    compared,
    bound: `< ${mostMs / 1000} s`,
    isWithin: ours.median < mostMs,
  };
}
