/**
 * `make bench`: each figure beside the bare engine in the same run. Figures are milliseconds; a ratio is ours over
 * theirs, pair by pair. It runs on the compiled program and needs root, the engine, and the base (`nexus node setup`).
 */
import { cpus, totalmem, release } from 'node:os';
import { parseArgs } from 'node:util';
import { createInstallation } from '../test/support/installation.ts';
import { compiledProgram } from '../test/support/programs.ts';
import { benchCreate } from './create.ts';
import { benchCommand, benchDownload, withTarget } from './ssh.ts';
import type { Summary } from './statistics.ts';

type Result = { readonly ours: Summary; readonly theirs: Summary; readonly ratio: Summary };

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});
const runs = Number(values.runs);

const nexus = await createInstallation({ program: compiledProgram });
try {
  await nexus.startServer();
  const setup = await nexus.nexus(['ssh', 'setup', '--yes']);
  if (setup.exitCode !== 0) throw new Error(setup.stderr);
  const results: Record<string, Result & { bound: string }> = {};
  results['POST /workspaces to the SSH banner | copy + start + banner'] = {
    ...(await benchCreate(nexus, runs)),
    bound: '≤ 1.3',
  };
  await withTarget(nexus, async (target) => {
    results['ssh … true through the gateway | straight'] = {
      ...(await benchCommand(target, runs * 2)),
      bound: '≤ 1.1',
    };
    // A time ratio of 1.11 is a throughput ratio of 0.9.
    results['1 GB over ssh through the gateway | straight'] = {
      ...(await benchDownload(target, Math.ceil(runs / 2))),
      bound: '≤ 1.11',
    };
  });
  if (values.json) console.log(JSON.stringify(results, null, 2));
  else print(results);
} finally {
  await nexus[Symbol.asyncDispose]();
}

function print(results: Readonly<Record<string, Result & { bound: string }>>): void {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}\n`,
  );
  console.log(
    '| what (ours \\| theirs) | ours, median (min–max) ms | theirs, median (min–max) ms | ratio, median (min–max) | bound |',
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, { ours, theirs, ratio, bound }] of Object.entries(results)) {
    console.log(
      `| ${name.replace('|', '\\|')} | ${range(ours, 0)} | ${range(theirs, 0)} | ${range(ratio, 2)} | ${bound} |`,
    );
  }
}

function range({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
