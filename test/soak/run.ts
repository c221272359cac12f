/**
 * `make soak`: the compiled program under a steady load, kills included, for as long as it is told. It writes a journal
 * (JSON lines) and a report; it exits with 0 only when every bound was kept. Ctrl-C ends it early, with the report. It
 * needs root, the engine, and the base (`nexus node setup`).
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createInstallation, type Installation } from '../support/installation.ts';
import { compiledProgram } from '../support/programs.ts';
import { createDisturbances } from './disturbances.ts';
import { watchEngine } from './engine-watch.ts';
import { createHeldConnections } from './held-connections.ts';
import { killByPlan, type Recovery } from './kills.ts';
import { deleteAll, findLeftovers, findRemains } from './leftovers.ts';
import { createLongLived, putUnderLoad } from './load.ts';
import { repeat } from './pause.ts';
import { createRandom } from './random.ts';
import { report } from './report.ts';
import { takeSample, type Sample } from './sample.ts';
import { killSchedule } from './schedule.ts';
import { tallyNames, type Soak, type Tallies } from './soak.ts';
import { createTally } from './tally.ts';
import { judge, type Result } from './verdict.ts';
import { makeSource } from './workspaces.ts';

type Options = {
  readonly durationMs: number;
  readonly seed: number;
  readonly killEveryMs: number;
  readonly program: readonly string[];
  readonly folder: string;
};

const sampleEveryMs = 30_000;

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      /** 0: nobody is killed. */
      'kill-every': { type: 'string', default: '180' },
      program: { type: 'string' },
      out: { type: 'string', default: '.cache/soak' },
    },
  });
  const number = (name: 'minutes' | 'seed' | 'kill-every'): number => {
    const value = Number(values[name]);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new Error(`--${name} must be a number, not ${values[name]}`);
  };
  return {
    durationMs: number('minutes') * 60_000,
    seed: number('seed'),
    killEveryMs: number('kill-every') * 1000,
    program: values.program === undefined ? compiledProgram : [resolve(values.program)],
    folder: resolve(values.out),
  };
}

function createSoak(nexus: Installation, token: string, options: Options, signal: AbortSignal): Soak {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  const journal = join(options.folder, 'soak.jsonl');
  const note: Soak['note'] = (type, what) => {
    appendFileSync(
      journal,
      `${JSON.stringify({ at: new Date().toISOString(), minute: now() / 60_000, type, ...what })}\n`,
    );
  };
  const disturbances = createDisturbances(now);
  const tally = (name: string) =>
    createTally({ now, disturbances, onFailure: (failure) => note('failure', { of: name, ...failure }) });
  return {
    nexus,
    token,
    signal,
    now,
    note,
    disturbances,
    random: createRandom(options.seed),
    tallies: Object.fromEntries(tallyNames.map((name) => [name, tally(name)])) as Tallies,
    sessions: createHeldConnections({
      now,
      disturbances,
      mayEnd: (what) => what.includes('gateway'),
      onLost: (loss) => note('session_lost', loss),
    }),
    followers: createHeldConnections({
      now,
      disturbances,
      mayEnd: () => true,
      onLost: (loss) => note('follower_lost', loss),
    }),
    created: new Set(),
  };
}

type Run = { readonly recoveries: Recovery[]; readonly samples: Sample[]; readonly durationMs: number };

async function run(soak: Soak, options: Options, ending: AbortController): Promise<Run> {
  const source = await makeSource(soak.nexus);
  const workspaces = await createLongLived(soak, source);
  await soak.nexus.nexus(['ssh', 'config']);
  const ids = workspaces.map(({ workspace_id }) => workspace_id);
  const samples: Sample[] = [];
  const sample = async (): Promise<void> => {
    const taken = await takeSample(soak, ids);
    samples.push(taken);
    soak.note('sample', taken);
  };
  const from = soak.now();
  const { seed, durationMs, killEveryMs } = options;
  const plan = killSchedule({ seed, durationMs, everyMs: killEveryMs });
  const timer = setTimeout(() => ending.abort(), durationMs);
  const [recoveries] = await Promise.all([
    killByPlan(
      soak,
      plan.map((kill) => ({ ...kill, atMs: from + kill.atMs })),
      workspaces,
    ),
    repeat(sampleEveryMs, soak.signal, sample),
    watchEngine(soak),
    putUnderLoad(soak, workspaces, source),
  ]);
  clearTimeout(timer);
  await sample();
  return { recoveries, samples, durationMs: soak.now() - from };
}

async function main(options: Options): Promise<boolean> {
  mkdirSync(options.folder, { recursive: true });
  writeFileSync(join(options.folder, 'soak.jsonl'), '');
  const temporary = await mkdtemp('/tmp/nexus-soak-');
  process.env['TMPDIR'] = temporary;
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  process.once('SIGTERM', () => ending.abort());
  const nexus = await createInstallation({ program: options.program });
  let soak: Soak;
  let done: Run;
  let leftovers: string[];
  try {
    await nexus.startServer();
    const setup = await nexus.nexus(['ssh', 'setup', '--yes']);
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    soak = createSoak(nexus, await nexus.token(), options, ending.signal);
    done = await run(soak, options, ending);
    await deleteAll(soak);
    leftovers = await findLeftovers(soak);
  } finally {
    await nexus[Symbol.asyncDispose]();
  }
  leftovers.push(...(await findRemains(soak)));
  await rm(temporary, { recursive: true, force: true });
  return conclude(soak, { ...done, leftovers }, options);
}

function conclude(soak: Soak, done: Run & { leftovers: string[] }, { folder, seed, killEveryMs }: Options): boolean {
  const { tallies, sessions, followers, disturbances } = soak;
  const result: Result = { ...done, tallies, sessions, followers, disturbances: disturbances.all };
  const checks = judge(result);
  const isGood = checks.every(({ ok }) => ok);
  const kills = killEveryMs === 0 ? 'no kills' : `kills every ${killEveryMs / 1000} s or so`;
  const head = `# Soak: ${(done.durationMs / 60_000).toFixed(1)} minutes, seed ${seed}, ${kills}: ${isGood ? 'passed' : 'FAILED'}`;
  const text = `${head}\n\n${report(result, checks)}\n`;
  writeFileSync(join(folder, 'report.md'), text);
  console.log(text);
  return isGood;
}

process.exit((await main(readOptions(process.argv.slice(2)))) ? 0 : 1);
