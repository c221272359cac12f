import { engineSteps, hostSteps, type NodeOptions } from './node-steps.ts';
import type { SetupStep, StepResult } from './setup-step.ts';

/**
 * Makes this machine ready to hold workspaces. What is as it should be stays as it is: the second time it takes a
 * moment and changes nothing.
 * @throws NexusError with what stands in the way: no root, another system, no package mirror, no room
 */
export async function setUpNode(
  options: NodeOptions & { readonly onStep?: ((line: string) => void) | undefined },
): Promise<StepResult[]> {
  const { onStep = () => undefined, ...node } = options;
  const results: StepResult[] = [];
  for (const step of hostSteps(node)) results.push(await carryOut(step, onStep));
  for (const step of await engineSteps(node)) results.push(await carryOut(step, onStep));
  return results;
}

async function carryOut(step: SetupStep, onStep: (line: string) => void): Promise<StepResult> {
  const startedAt = performance.now();
  const problem = await step.check();
  if (problem) {
    onStep(`${step.name}: ${problem.detail}`);
    await step.apply((line) => onStep(`${step.name}: ${line}`));
    await step.check();
  }
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  onStep(`${step.name}: ${step.describe()}${problem ? ` (${seconds.toFixed(1)} s)` : ''}`);
  return { name: step.name, status: problem ? 'done' : 'unchanged', detail: step.describe(), seconds };
}
