/** Kills the roles by the schedule, and measures until all is well again. */
import { connect } from 'node:net';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { until } from '../support/installation.ts';
import { expect, send } from './client.ts';
import { pause } from './pause.ts';
import type { Kill } from './schedule.ts';
import type { Soak } from './soak.ts';
import { exec } from './workspaces.ts';

export type Recovery = {
  readonly what: string;
  readonly atMs: number;
  /** From the kill until the API answers; null: not within two minutes. */
  readonly apiMs: number | null;
  /** Until also health is `ok`, a command runs in each workspace, and SSH answers at each port. */
  readonly allMs: number | null;
};

const recoverWithinMs = 120_000;

export async function killByPlan(
  soak: Soak,
  plan: readonly Kill[],
  workspaces: readonly WorkspaceView[],
): Promise<Recovery[]> {
  const recoveries: Recovery[] = [];
  for (const kill of plan) {
    await pause(kill.atMs - soak.now(), soak.signal);
    if (soak.signal.aborted) break;
    const recovery = await killOnce(soak, kill, workspaces);
    recoveries.push(recovery);
    soak.note('recovered', recovery);
  }
  return recoveries;
}

async function killOnce(soak: Soak, { roles }: Kill, workspaces: readonly WorkspaceView[]): Promise<Recovery> {
  const { nexus, now } = soak;
  const what = `kill of ${roles.join(', ')}`;
  soak.note('kill', { roles });
  const atMs = now();
  const end = soak.disturbances.begin(what);
  try {
    await nexus.kill(...roles);
    if (roles.includes('server')) await nexus.startServer();
    const apiMs = await within(now, atMs, () => readHealth(soak));
    const allMs = await within(now, atMs, () => requireWell(soak, workspaces));
    return { what, atMs, apiMs, allMs };
  } catch (error) {
    soak.note('not_recovered', { what, reason: String(error) });
    return { what, atMs, apiMs: null, allMs: null };
  } finally {
    end();
  }
}

async function within(now: () => number, fromMs: number, check: () => Promise<unknown>): Promise<number | null> {
  const passes = async (): Promise<boolean> => {
    await check();
    return true;
  };
  const isWell = await until(passes, 'the recovery', recoverWithinMs).then(
    () => true,
    () => false,
  );
  return isWell ? now() - fromMs : null;
}

async function readHealth(soak: Soak): Promise<string> {
  const { body } = expect(await send(soak, { method: 'GET', path: '/health', timeoutMs: 2_000 }), 200);
  return (body as { status: string }).status;
}

async function requireWell(soak: Soak, workspaces: readonly WorkspaceView[]): Promise<void> {
  const health = await readHealth(soak);
  if (health !== 'ok') throw new Error(`the health is ${health}`);
  await Promise.all(workspaces.map(({ workspace_id }) => exec(soak, workspace_id, ['true'])));
  await Promise.all(workspaces.map(({ ssh }) => requireBanner(ssh.port ?? 0)));
}

function requireBanner(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(2_000, () => socket.destroy(new Error('no SSH banner in time')));
    socket.once('data', () => {
      resolve();
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`port ${port} was closed`)));
  });
}
