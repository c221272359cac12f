/**
 * `make bench`: each figure with its bound, beside the bare engine in the same run where there is such a thing. It runs
 * the compiled program and needs root, the engine, and the base (`nexus node setup`). A figure that is out of its bound
 * is printed so and ends it with 1.
 */
import { cpus, loadavg, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchCreate } from './create.ts';
import { tableOf, type Figure } from './figure.ts';
import { benchFifty } from './fifty.ts';
import { benchGitCredential } from './git-credential.ts';
import { benchIsolation } from './isolation.ts';
import { benchJourney } from './journey.ts';
import { benchReads } from './reads.ts';
import { benchRoundTrip } from './round-trip.ts';
import { benchSharedSsh } from './shared-ssh.ts';
import { benchCommand, benchDownload } from './ssh.ts';
import { benchTen } from './ten.ts';
import { benchUpAgain } from './up-again.ts';
import { benchVersion } from './version.ts';

type Bench = (options: { readonly runs: number }) => Promise<readonly Figure[]>;

/** By the name that `--only` takes. */
const benches: Readonly<Record<string, Bench>> = {
  version: benchVersion,
  create: benchCreate,
  ssh: benchCommand,
  'shared-ssh': benchSharedSsh,
  download: benchDownload,
  'up-again': benchUpAgain,
  journey: benchJourney,
  'round-trip': benchRoundTrip,
  reads: benchReads,
  ten: benchTen,
  fifty: benchFifty,
  isolation: benchIsolation,
  'git-credential': benchGitCredential,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(benches) },
    runs: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});

function benchNamed(name: string): Bench {
  const bench = benches[name];
  if (bench === undefined) throw new Error(`there is no figure ${name}; there are ${Object.keys(benches).join(', ')}`);
  return bench;
}

const figures: Figure[] = [];
const load = loadavg()[0]?.toFixed(1);
for (const bench of values.only.map(benchNamed)) figures.push(...(await bench({ runs: Number(values.runs) })));
if (values.json) console.log(JSON.stringify(figures, null, 2));
else {
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${memory} GiB, Linux ${release()}; load ${load}\n`);
  console.log(tableOf(figures));
}
if (!figures.every(({ isWithin }) => isWithin)) process.exitCode = 1;
