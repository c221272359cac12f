// Runs suites of tests: node scripts/test.ts [unit|integration|e2e|all]... [--coverage] [FILE...]
// The last line is `N passed, N failed, N skipped`. With --coverage, every process that runs the sources (also the
// children that tests start) is measured, and less than the floor fails.
import { existsSync, globSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reportCoverage } from './coverage.ts';
import type { Tally } from './test-file.ts';
import { addTally, closingLine, emptyTally, runSuite, type Suite } from './test-suite.ts';

const longLimits = { testMs: 600_000, fileMs: 900_000, exitMs: 30_000 };

// End-to-end files run one at a time, as a user would.
const suites: Record<string, Suite> = {
  unit: {
    globs: ['{src,scripts,bench,test/soak}/**/*.test.ts'],
    concurrency: availableParallelism(),
    limits: { testMs: 30_000, fileMs: 120_000, exitMs: 5000 },
  },
  integration: {
    globs: ['test/{conformance,integration,flows}/**/*.test.ts'],
    concurrency: availableParallelism(),
    limits: longLimits,
  },
  e2e: { globs: ['test/e2e/**/*.test.ts'], concurrency: 1, limits: longLimits },
};

const rawCoverageFolder = 'coverage/raw';

interface Choice {
  suites: Record<string, Suite>;
  coverage: boolean;
}

function choose(args: string[]): Choice {
  const { values, positionals } = parseArgs({
    args,
    options: { coverage: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const named = positionals.includes('all') ? Object.keys(suites) : positionals.filter((name) => name in suites);
  const files = positionals.filter((name) => name !== 'all' && !(name in suites));
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`no such suite or file: ${missing.join(', ')}`);
  const chosen = Object.fromEntries(Object.entries(suites).filter(([name]) => named.includes(name)));
  if (files.length > 0) chosen['files'] = { globs: files, concurrency: 1, limits: longLimits };
  if (Object.keys(chosen).length === 0)
    throw new Error(`name a suite (${Object.keys(suites).join(', ')}, all) or files`);
  return { suites: chosen, coverage: values.coverage };
}

async function runAll(chosen: Record<string, Suite>): Promise<Tally> {
  let total = emptyTally;
  for (const [name, suite] of Object.entries(chosen)) {
    const files = globSync(suite.globs).sort();
    console.log(`\n== ${name}: ${files.length} files`);
    // An empty suite is a broken checkout or a wrong pattern, not a success.
    const tally = files.length > 0 ? await runSuite(suite, files) : { ...emptyTally, failed: 1 };
    console.log(`== ${name}: ${closingLine(tally)}`);
    total = addTally(total, tally);
  }
  return total;
}

async function main(): Promise<number> {
  const choice = choose(process.argv.slice(2));
  if (choice.coverage) {
    rmSync('coverage', { recursive: true, force: true });
    process.env['NODE_V8_COVERAGE'] = resolve(rawCoverageFolder);
  }
  const tally = await runAll(choice.suites);
  delete process.env['NODE_V8_COVERAGE'];
  const isCovered = !choice.coverage || (await reportCoverage(rawCoverageFolder));
  for (const { name, reason } of tally.skipped) console.log(`skipped: ${name} (${reason})`);
  // On CI nothing may be left out in silence.
  const isSkipFailure = process.env['CI'] === 'true' && tally.skipped.length > 0;
  if (isSkipFailure) console.log('CI allows no skipped test');
  console.log(closingLine(tally));
  return tally.failed > 0 || tally.passed === 0 || isSkipFailure || !isCovered ? 1 : 0;
}

try {
  const exitCode = await main();
  // What is not yet through a slow pipe would be lost.
  await new Promise((resolve) => process.stdout.write('', resolve));
  // Not process.exitCode: an ended test's child may still hold a pipe to this process.
  process.exit(exitCode);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
