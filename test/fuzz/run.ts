/**
 * `make fuzz`: requests made from the server's own OpenAPI document, first without any node, then with one. The same
 * seed gives the same requests; `--from` and `--requests` send a part of them again.
 */
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { compiledProgram } from '../support/programs.ts';
import { fuzz, summary } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    requests: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
  },
});

const seed = Number(values.seed);
process.stdout.write(`seed ${seed}; again: make fuzz SEED=${seed}\n`);
const result = await fuzz({
  program: compiledProgram,
  seed,
  requests: Number(values.requests),
  from: Number(values.from),
  hasSlowClients: true,
  onProgress: (text) => process.stdout.write(`${text}\n`),
});
const [cpu] = cpus();
process.stdout.write(
  `\n${summary(result)}\n${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${new Date().toISOString().slice(0, 10)}\n`,
);
for (const { index, what, request } of result.failures)
  process.stdout.write(`\n✖ ${index === null ? '' : `request ${index}: `}${what}\n  ${request}\n`);
for (const line of result.leaks) process.stdout.write(`\n✖ in the log: ${line.slice(0, 600)}\n`);
process.exitCode = result.failures.length + result.leaks.length > 0 ? 1 : 0;
