/**
 * kill -9 at moments that a seed chooses, again and again, while workspaces are made, started, stopped and deleted.
 * After each kill, what is is compared with what was asked for; at the end nothing may be left over.
 */
import { randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { api, createInstallation, ServerEnded, until, type Installation } from '../support/installation.ts';
import type { Arena } from './arena.ts';
import { findRemains, networkRules, relayFolders } from './remains.ts';
import { openSession, type HeldSession } from './held-session.ts';
import { describeRound, planRound, type Role, type Round } from './plan-round.ts';
import { killRoles, processesOf } from './processes.ts';
import { createRandom, type Random } from './random.ts';
import { settle } from './settle.ts';
import { carryOut, createWorkspaces, type Workspace } from './workspaces.ts';

export type ChaosOptions = {
  readonly program: readonly string[];
  readonly seed: number;
  readonly kills: number;
  readonly report: (line: string) => void;
  /** Aborted: it ends after the round that is under way. */
  readonly signal?: AbortSignal | undefined;
};

export type ChaosResult = {
  readonly kills: number;
  readonly byRole: Readonly<Record<Role, number>>;
  /** How many of the kills the open SSH session had to outlive, and did. */
  readonly sessionOutlived: number;
  readonly slowestSettleMs: number;
};

type Tally = { kills: number; byRole: Record<Role, number>; sessionOutlived: number; slowestSettleMs: number };

const slots = 4;

/** @throws with what is not as it was asked for, or is left over */
export async function runChaos({ program, seed, kills, report, signal }: ChaosOptions): Promise<ChaosResult> {
  const random = createRandom(seed);
  const foldersBefore = await relayFolders();
  const nexus = await createInstallation({ program });
  try {
    const arena: Arena = { nexus, program, execMark: `chaos-${randomUUID()}` };
    await nexus.startServer();
    const setup = await nexus.nexus(['ssh', 'setup', '--yes']);
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    const names = ['keeper', ...Array.from({ length: slots }, (_, slot) => `c${slot}`)];
    const [keeper, ...others] = await createWorkspaces(nexus, names);
    if (!keeper) throw new Error('no workspace');
    await carryOut(arena, keeper, { slot: 0, deeds: [{ deed: 'create', afterMs: 0 }] }).done;
    await settle(arena, [keeper, ...others]);
    // Not before there is an agent: it brings the rules up to date with the host's networks.
    const before = { rules: await networkRules(), relayFolders: foldersBefore };
    const tally = await killAll(arena, { random, kills, report, signal }, keeper, others);
    await findRemains(arena, [keeper, ...others], before);
    return tally;
  } catch (error) {
    await keepEvidence(nexus, { seed, report }).catch((failed: unknown) =>
      report(`the logs could not be kept: ${String(failed)}`),
    );
    throw error;
  } finally {
    await nexus[Symbol.asyncDispose]();
  }
}

/** The logs and the database of a run that failed, for whoever looks for the reason. */
async function keepEvidence(
  { dataDir }: Installation,
  { seed, report }: Pick<ChaosOptions, 'seed' | 'report'>,
): Promise<void> {
  const folder = join('.cache/chaos', String(seed));
  await rm(folder, { recursive: true, force: true });
  await cp(dirname(dataDir), folder, { recursive: true, filter: (path) => !/\.(pem|secret|ssh|sock)$/.test(path) });
  report(`logs and database: ${folder}`);
}

async function killAll(
  arena: Arena,
  { random, kills, report, signal }: Pick<ChaosOptions, 'kills' | 'report' | 'signal'> & { random: Random },
  keeper: Workspace,
  others: readonly Workspace[],
): Promise<Tally> {
  const tally: Tally = {
    kills: 0,
    byRole: { server: 0, agent: 0, gateway: 0 },
    sessionOutlived: 0,
    slowestSettleMs: 0,
  };
  const { port, webPort } = await portsOf(arena.nexus, keeper);
  let session = await openSession(arena.nexus, port);
  try {
    for (let number = 1; tally.kills < kills; number += 1) {
      signal?.throwIfAborted();
      const asked = others.map((workspace) => workspace.asked);
      const round = planRound(random, asked, { killsLeft: kills - tally.kills });
      const what = `round ${number}: ${describeRound(round)}`;
      // Through a relay of the agent, which must not stay when that is killed.
      const idle = connect(webPort, '127.0.0.1').on('error', () => undefined);
      try {
        const killed = await playRound(arena, round, others, session, tally);
        idle.destroy();
        const startedAt = performance.now();
        const sinceMs = (): number => Math.round(performance.now() - startedAt);
        if (killed.includes('gateway')) {
          await session.close();
          session = await openSession(arena.nexus, port);
        } else await session.echo(`after round ${number}`);
        const sessionMs = sinceMs();
        await settle(arena, [keeper, ...others]);
        const settledMs = sinceMs();
        tally.slowestSettleMs = Math.max(tally.slowestSettleMs, settledMs);
        report(
          `${what}; ${describeKills(round)}; settled in ${settledMs} ms, session in ${sessionMs} ms (${tally.kills} of ${kills} kills)`,
        );
      } catch (error) {
        report(`${what}; ${describeKills(round)}: FAILED`);
        throw error;
      } finally {
        idle.destroy();
      }
    }
  } finally {
    await session.close();
  }
  return tally;
}

/** Returns the roles that were killed. */
async function playRound(
  arena: Arena,
  round: Round,
  workspaces: readonly Workspace[],
  session: HeldSession,
  tally: Tally,
): Promise<Role[]> {
  const tasks = round.tasks.flatMap((task) => {
    const workspace = workspaces[task.slot];
    return workspace ? [carryOut(arena, workspace, task)] : [];
  });
  const done = Promise.all(tasks.map((task) => task.done));
  done.catch(() => undefined); // it is awaited below, after the kills
  const all: Role[] = [];
  const starts: Promise<void>[] = [];
  for (const { roles, afterMs } of round.kills) {
    await delay(afterMs);
    const killed = await killAndSee(arena.nexus, roles);
    if (killed.length > 0) tally.kills += 1;
    for (const role of killed) tally.byRole[role] += 1;
    all.push(...killed);
    if (!all.includes('gateway')) {
      await session.echo(`while ${killed.join(' and ')} may be dead`);
      tally.sessionOutlived += 1;
    }
    if (killed.includes('server')) starts.push(startLater(arena.nexus, round.restartAfterMs));
  }
  await Promise.all(starts);
  await done;
  for (const task of tasks) await task.endCommands();
  return all;
}

async function killAndSee(nexus: Installation, roles: readonly Role[]): Promise<Role[]> {
  const killed = await killRoles(nexus, roles);
  const ids = new Set(killed.map(({ pid }) => pid));
  await until(async () => !(await processesOf(nexus)).some(({ pid }) => ids.has(pid)), 'the killed to be gone', 10_000);
  return killed.map(({ role }) => role);
}

/** One that the next kill meets while it starts is not waited for: another is started after that. */
async function startLater(nexus: Installation, afterMs: number): Promise<void> {
  await delay(afterMs);
  await nexus.startServer().catch((error: unknown) => {
    if (!(error instanceof ServerEnded && error.signal === 'SIGKILL')) throw error;
  });
}

async function portsOf(nexus: Installation, { id }: Workspace): Promise<{ port: number; webPort: number }> {
  const { ssh, services } = await api<WorkspaceView>(nexus, 'GET', `/workspaces/${id}`);
  return { port: ssh.port ?? 0, webPort: services['web']?.mapped_port ?? 0 };
}

function describeKills({ kills }: Round): string {
  return kills.map(({ roles, afterMs }) => `kill of ${roles.join(', ')} after ${afterMs} ms`).join(', ');
}
