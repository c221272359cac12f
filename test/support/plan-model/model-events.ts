import * as fc from 'fast-check';
import { errorExamples } from '../../../scripts/error-examples.ts';
import { NexusError, type ErrorCode } from '../../../src/contract/errors.ts';
import type { Ending } from './model-agent.ts';
import type { ModelEvent } from './model-world.ts';

/** Every error of the catalogue, though an agent would answer with some of them only. */
const anyError: fc.Arbitrary<NexusError> = fc
  .constantFrom(...(Object.keys(errorExamples) as ErrorCode[]))
  .map((code) => new NexusError(code, errorExamples[code]));

const passingError: fc.Arbitrary<NexusError> = fc
  .constantFrom('provider_unavailable', 'timeout', 'internal', 'stream_failed', 'container_start_failed')
  .map((code) => new NexusError(code, errorExamples[code]));

const error = fc.oneof({ weight: 3, arbitrary: passingError }, { weight: 1, arbitrary: anyError });

const ending: fc.Arbitrary<Ending> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ is: 'done' } as const) },
  { weight: 1, arbitrary: error.map((one) => ({ is: 'fails', error: one }) as const) },
  { weight: 1, arbitrary: error.map((one) => ({ is: 'fails_after', error: one }) as const) },
);

const which = fc.nat({ max: 3 });

/** What goes right is the most frequent, so that every state is come to. */
export const anyEvent: fc.Arbitrary<ModelEvent> = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom('deliver_to_agent', 'deliver_to_server', 'look').map((kind) => ({ kind })) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('finish' as const), which, ending }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'connects' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('goes_well' as const), turns: fc.integer({ min: 1, max: 120 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('connection_breaks' as const), isNoticed: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('agent_dies' as const), hasEffect: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'server_dies' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('server_gives_up' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('time_passes' as const),
      milliseconds: fc.constantFrom(1_000, 40_000, 3_600_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('service_dies', 'service_sickens', 'instance_stops', 'instance_vanishes')
      .map((kind) => ({ kind })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      request: fc.constantFrom('start', 'start', 'stop', 'stop', 'delete'),
      force: fc.boolean(),
    }),
  },
);
