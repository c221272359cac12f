/** Writes down what was concluded of one workspace, with what was seen of its services. */
import type { ErrorBody } from '../../contract/errors.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { serviceVerdicts } from '../../core/plan/services.ts';
import { isExposed } from '../../core/service-env.ts';
import type { Tx } from '../store/store.ts';
import type { LoopDeps } from './loop-deps.ts';
import { nameInHint } from './name-in-hint.ts';
import type { Observer } from './observer.ts';
import { readWorkspace, type WorkspaceState } from './read-want.ts';
import type { ServiceClock } from './service-clock.ts';
import type { SteadyTimes } from './steady-times.ts';
import { writeConclusion } from './write-state.ts';

export type Said = {
  readonly status: WorkspaceStatus;
  readonly step: string | null;
  readonly error: ErrorBody | null;
  readonly warnings: readonly string[];
};

export type Conclusions = {
  /** All of these return false, and write nothing, when something newer was asked for meanwhile. */
  write(state: WorkspaceState, said: Said): Promise<boolean>;
  writeIn(tx: Tx, state: WorkspaceState, said: Said): Promise<boolean>;
  /** Writes what was seen of the services (and other warnings), and leaves the rest as it is. */
  refresh(news?: { readonly warnings?: readonly string[] }): Promise<void>;
};

export function createConclusions(
  id: string,
  deps: Pick<LoopDeps, 'store' | 'config' | 'occupiedPorts'>,
  parts: {
    readonly observer: Pick<Observer, 'known'>;
    readonly clock: ServiceClock;
    readonly times: SteadyTimes;
  },
): Conclusions {
  const { store, config } = deps;
  const { times } = parts;

  function conclude(tx: Tx, { row, want }: WorkspaceState, said: Said): Promise<boolean> {
    const nowMs = times.now();
    const services = serviceVerdicts(want, times.observation(parts.observer.known.observation), nowMs);
    parts.clock.judged(services, nowMs);
    const named = services.map((one) => ({ ...one, error: one.error && nameInHint(one.error, row.name) }));
    const conclusion = { generation: row.generation, ...said, services: named };
    return writeConclusion(tx, id, conclusion, { publicHost: config.public_host });
  }
  function writeIn(tx: Tx, state: WorkspaceState, said: Said): Promise<boolean> {
    const warnings = [...said.warnings, ...portWarnings(state, deps.occupiedPorts())];
    return conclude(tx, state, { ...said, warnings });
  }

  return {
    writeIn,
    write: (state, said) => store.transaction((tx) => writeIn(tx, state, said)),
    async refresh(news = {}) {
      const state = await readWorkspace(store.db, id, { ...config, times });
      if (!state) return;
      const { row, want } = state;
      const error = row.error_json === null ? null : (JSON.parse(row.error_json) as ErrorBody);
      const warnings = news.warnings ?? (JSON.parse(row.warnings_json) as string[]);
      await store.transaction((tx) => conclude(tx, state, { status: want.status, step: row.step, error, warnings }));
    },
  };
}

function portWarnings({ row, services, want }: WorkspaceState, occupied: ReadonlyMap<number, string>): string[] {
  const ports = [row.ssh_port, ...services.map(({ mapped_port }) => mapped_port)];
  const taken = ports.flatMap((port) => {
    const reason = port === null ? undefined : occupied.get(port);
    return reason === undefined ? [] : [`port ${port} of the host cannot be listened on: ${reason}`];
  });
  const unmapped = services.filter(({ mapped_port }, index) => {
    const spec = want.services[index]?.spec;
    // Ports are given out when the configuration is taken over.
    return want.config !== null && mapped_port === null && spec !== undefined && isExposed(spec);
  });
  return [...taken, ...unmapped.map((service) => `no port of the host is left for ${service.name}`)];
}
