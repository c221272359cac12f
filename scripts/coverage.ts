// Makes one report of the V8 coverage that processes left behind. The report is made on the sources as Node ran them,
// with the types blanked out, so that a file of types has no code to cover, and a file that never ran has all of it.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CoverageReport } from 'monocart-coverage-reports';

/** Percent of lines and of branches of all of src. */
const floor = 90;

function isProductSource(url: string): boolean {
  return url.startsWith(`${pathToFileURL('src').href}/`) && url.endsWith('.ts') && !url.endsWith('.test.ts');
}

function executedSource(path: string): string {
  return stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip' });
}

/** Writes coverage/index.html and coverage/lcov.info, prints a summary, and tells whether the floor is reached. */
export async function reportCoverage(rawFolder: string): Promise<boolean> {
  const report = new CoverageReport({
    name: 'Nexus',
    outputDir: 'coverage',
    clean: false,
    reports: [['v8'], ['lcovonly', { file: 'lcov.info' }], ['console-details', { metrics: ['branches', 'lines'] }]],
    entryFilter: (entry: { url: string }) => isProductSource(entry.url),
    onEntry: async (entry: { url: string; source?: string }) => {
      entry.source = executedSource(fileURLToPath(entry.url));
    },
    sourcePath: (path: string) => path,
    all: {
      dir: ['src'],
      filter: (path: string) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
      transformer: async (entry: { url: string; source: string }) => {
        entry.source = executedSource(fileURLToPath(entry.url));
      },
    },
  });
  await report.addFromDir(rawFolder);
  const results = await report.generate();
  const { lines, branches } = results?.summary ?? {};
  const reached = [lines?.pct, branches?.pct].every((percent) => Number(percent) >= floor);
  console.log(`coverage: ${lines?.pct} % of lines, ${branches?.pct} % of branches; the floor is ${floor} %`);
  return reached;
}
