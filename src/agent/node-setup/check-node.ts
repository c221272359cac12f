import { toNexusError } from '../../contract/errors.ts';
import { layout } from '../providers/lxc/layout.ts';
import { shortOfRoom } from '../providers/lxc/room.ts';
import { engineSteps, hostSteps, nodeEngine, type NodeOptions } from './node-steps.ts';
import type { Finding, Problem, SetupStep } from './setup-step.ts';

const setupCommand = 'sudo nexus node setup';

/** Everything that a node needs, each with what is wrong with it and what puts it right. Changes nothing. */
export async function checkNode(options: NodeOptions = {}): Promise<Finding[]> {
  const host = await Promise.all(hostSteps(options).map(look));
  // Without an engine there is nothing more to see, and that is a finding already.
  const steps = await engineSteps(options).catch(() => null);
  if (!steps) return host;
  return [...host, ...(await Promise.all([...steps, roomCheck(options)].map(look)))];
}

/** No set-up makes more of it. */
function roomCheck(options: NodeOptions): Pick<SetupStep, 'name' | 'check' | 'describe'> {
  const { pool = layout.pool } = options;
  return {
    name: 'room',
    describe: () => 'there is room for more workspaces',
    async check(): Promise<Problem | null> {
      const short = await shortOfRoom(nodeEngine(options), pool);
      if (!short) return null;
      const gigabytes = (short.free_bytes / 1e9).toFixed(1);
      return { detail: `${short.where} has ${gigabytes} GB left`, fix: 'nexus workspace list' };
    },
  };
}

async function look({ name, check, describe }: Pick<SetupStep, 'name' | 'check' | 'describe'>): Promise<Finding> {
  try {
    const problem = await check();
    if (!problem) return { name, ok: true, detail: describe(), fix: null };
    return { name, ok: false, detail: problem.detail, fix: problem.fix ?? setupCommand };
  } catch (thrown) {
    return { name, ok: false, detail: toNexusError(thrown).message, fix: setupCommand };
  }
}
