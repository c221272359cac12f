import { toNexusError } from '../../contract/errors.ts';
import { engineSteps, hostSteps, type NodeOptions } from './node-steps.ts';
import type { Finding, SetupStep } from './setup-step.ts';

const setupCommand = 'sudo nexus node setup';

/** Everything that a node needs, each with what is wrong with it and what puts it right. Changes nothing. */
export async function checkNode(options: NodeOptions = {}): Promise<Finding[]> {
  const host = await Promise.all(hostSteps(options).map(look));
  const engine = await engineSteps(options).then(
    (steps) => Promise.all(steps.map(look)),
    () => [],
  );
  return [...host, ...engine];
}

async function look(step: SetupStep): Promise<Finding> {
  const { name } = step;
  try {
    const problem = await step.check();
    if (!problem) return { name, ok: true, detail: step.describe(), fix: null };
    return { name, ok: false, detail: problem.detail, fix: problem.fix ?? setupCommand };
  } catch (thrown) {
    return { name, ok: false, detail: toNexusError(thrown).message, fix: setupCommand };
  }
}
