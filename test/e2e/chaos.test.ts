/** The short form of `make chaos`: a few kills at moments of fixed seeds. */
import { it } from 'node:test';
import { runChaos } from '../chaos/chaos.ts';
import { compiledProgram } from '../support/programs.ts';

for (const seed of [11, 23]) {
  it(`is what was asked for after kills at the moments of seed ${seed}, with nothing left over`, async (context) => {
    await runChaos({ program: compiledProgram, seed, kills: 4, report: (line) => context.diagnostic(line) });
  });
}
