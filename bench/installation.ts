/** The whole product for one figure: the compiled program, set up, and removed with all that it made. */
import { api, createInstallation, until, type Installation } from '../test/support/installation.ts';
import { compiledProgram } from '../test/support/programs.ts';

export async function withInstallation<T>(
  use: (nexus: Installation) => Promise<T>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const nexus = await createInstallation({ program: compiledProgram, config });
  try {
    await nexus.startServer();
    const setup = await nexus.nexus(['ssh', 'setup', '--yes']);
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await untilWell(nexus);
    return await use(nexus);
  } finally {
    await nexus[Symbol.asyncDispose]();
  }
}

/** Gateway and agent are there, and nothing is under way. */
export async function untilWell(nexus: Installation): Promise<void> {
  await until(async () => {
    const { status, queue } = await api<{ status: string; queue: number }>(nexus, 'GET', '/status');
    return status === 'ok' && queue === 0;
  }, 'the gateway and the agent to be there, and nothing to do');
}
