import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';
import { connectTcp } from '../../contract/stream-client.ts';
import { gitFiles } from '../git/git-files.ts';
import { packFiles, type GuestFile } from '../guest/guest-files.ts';
import { runScript } from '../guest/run-script.ts';
import { paths } from '../guest/workspace-paths.ts';
import { parseFacts, valuesOf, type BaseMark } from '../marks.ts';
import { describe } from '../observe-workspace.ts';
import { environmentFile, pamEnvironment } from '../services/environment-file.ts';
import { runningInstance, type Command, type Executor, type FoundInstance } from './command-context.ts';

const defaultSshdTimeoutMs = 60_000;
const bannerTimeoutMs = 5_000;

/** @throws container_not_ready, workspace_not_running */
export const configure: Executor<'configure'> = async (command, context) => {
  const { workspace_id: id, git } = command;
  const { sshdTimeoutMs = defaultSshdTimeoutMs } = context;
  const seconds = Math.ceil(sshdTimeoutMs / 1000);
  const found = await runningInstance(context, id);
  const files = configurationFiles(command, await context.records.read(id));
  const stdin = packFiles(files);
  const fingerprint = createHash('sha256').update(stdin).digest('hex');
  const { exitCode, lines, stderr } = await runScript(found.provider, id, {
    script: 'configure',
    args: [fingerprint, String(seconds), git?.name ?? '', git?.email ?? ''],
    stdin,
    timeoutMs: sshdTimeoutMs + 10_000,
  });
  if (exitCode !== 0) throw notReady(id, { seconds, unitState: valuesOf(lines, 'not_ready')[0]?.[0], cause: stderr });
  if (!(await greets(found))) throw notReady(id, { seconds, cause: 'no banner' });
  return describe(context, found, { ...parseFacts(lines), sshdListens: true });
};

function configurationFiles({ ssh_keys, env, git_host }: Command<'configure'>, base: BaseMark | null): GuestFile[] {
  return [
    {
      path: '/home/dev/.ssh/authorized_keys',
      content: ssh_keys.map((key) => `${key}\n`).join(''),
      mode: 0o600,
      owner: 'dev',
    },
    { path: paths.environment, content: environmentFile(env) },
    { path: '/etc/nexus/environment', content: pamEnvironment(env) },
    { path: '/etc/profile.d/nexus-workspace.sh', content: `set -a\n. ${paths.environment}\nset +a\n` },
    ...gitFiles({ host: git_host, sshKey: ssh_keys[0] }),
    ...(base ? [{ path: `${paths.marks}/base`, content: `${JSON.stringify(base)}\n` }] : []),
  ];
}

/** Whether sshd says its name, seen from outside. */
async function greets({ provider, instance }: FoundInstance): Promise<boolean> {
  const signal = AbortSignal.timeout(bannerTimeoutMs);
  let socket: Duplex | null = null;
  try {
    const { address } = instance;
    const isDirect = provider.capabilities.directAddress && address !== null;
    socket = isDirect ? await connectTcp({ host: address, port: 22, signal }) : await provider.dial(instance.id, 22);
    const [greeting] = (await once(socket, 'data', { signal })) as [Buffer];
    return greeting.toString('latin1').startsWith('SSH-');
  } catch {
    return false;
  } finally {
    socket?.destroy();
  }
}

function notReady(
  instance: string,
  { seconds, unitState, cause }: { seconds: number; unitState?: string | undefined; cause: string },
): NexusError {
  const waiting_for = unitState === undefined ? 'the SSH server' : `the SSH server (its unit is ${unitState})`;
  return new NexusError('container_not_ready', { instance, waiting_for, seconds }, { cause });
}
