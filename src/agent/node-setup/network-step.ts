import { applyNetworkRules, networkProblem, type RulesOptions } from '../providers/lxc/apply-network-rules.ts';
import { upstreamResolvers } from '../providers/lxc/upstream-resolvers.ts';
import type { SetupStep } from './setup-step.ts';

export function networkStep({ range, reach }: RulesOptions): SetupStep {
  const reached = reach.length > 0 ? `, ${reach.join(', ')}` : '';
  return {
    name: 'network',
    describe: () => `workspaces have ${range}, reach the internet${reached}, and neither this machine nor each other`,
    async check() {
      const upstream = await upstreamResolvers();
      if (upstream.length === 0)
        return { detail: 'no name server is known that a workspace could ask', fix: 'cat /etc/resolv.conf' };
      const detail = await networkProblem({ range, reach });
      return detail === null ? null : { detail };
    },
    apply: () => applyNetworkRules({ range, reach }),
  };
}
