import type { Provider } from '../providers/provider.ts';
import { parseFacts, valuesOf, type GuestFacts } from '../marks.ts';
import { packFiles, type GuestFile } from './guest-files.ts';
import { runScript } from './run-script.ts';

export type JobOutcome =
  | { readonly done: true; readonly facts: GuestFacts }
  /** `exitCode` as a shell has it: 128 + n for signal n. `output`: its last 40 lines. */
  | { readonly done: false; readonly exitCode: number; readonly output: readonly string[] }
  /** It was ended with the instance, which is stopping. */
  | 'stopping';

const killed = 2;

/** Runs a unit that ends to its end (guest-job.sh), or joins it, or finds it done. @throws stream_failed */
export async function runJob(
  provider: Provider,
  id: string,
  job: {
    readonly unit: string;
    readonly mark: string;
    readonly files: readonly GuestFile[];
    readonly onOutput: (line: string) => void;
  },
): Promise<JobOutcome> {
  const { exitCode, lines } = await runScript(provider, id, {
    script: 'job',
    args: [job.unit, job.mark],
    stdin: packFiles(job.files),
    onProgress: job.onOutput,
  });
  if (exitCode === 0) return { done: true, facts: parseFacts(lines) };
  if (valuesOf(lines, 'stopping').length > 0) return 'stopping';
  const [kind, status] = valuesOf(lines, 'failed')[0] ?? [];
  return {
    done: false,
    exitCode: Number(kind) >= killed ? 128 + Number(status) : Number(status) || exitCode,
    output: valuesOf(lines, 'output').map((values) => values.join('\t')),
  };
}
