/** `nexus --version` beside `/bin/true`, each a whole process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { compiledProgram } from '../test/support/programs.ts';
import { milliseconds, type Figure } from './figure.ts';
import { inTurn, timed } from './statistics.ts';

export async function benchVersion({ runs }: { readonly runs: number }): Promise<readonly Figure[]> {
  const [nexus = ''] = compiledProgram;
  const pair = await inTurn(runs * 20, processTime(nexus, '--version'), processTime('/bin/true'));
  const most = 3 * pair.theirs.median + 10;
  return [
    {
      what: '`nexus --version` | `/bin/true`',
      ours: milliseconds(pair.ours, 1),
      theirs: milliseconds(pair.theirs, 1),
      compared: `${pair.ours.median.toFixed(1)} ms`,
      bound: `< 3 times theirs + 10 ms = ${most.toFixed(1)} ms`,
      isWithin: pair.ours.median < most,
    },
  ];
}

function processTime(command: string, ...args: string[]): () => Promise<number> {
  return () =>
    timed(async () => {
      const [code] = (await once(spawn(command, args, { stdio: 'ignore' }), 'exit')) as [number | null];
      if (code !== 0) throw new Error(`${command} ended with ${code}`);
    });
}
