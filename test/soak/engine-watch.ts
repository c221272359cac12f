/** Notices when the engine itself does not answer: what fails then is not ours. */
import { engine } from '../../bench/bare-engine.ts';
import { pause, repeat } from './pause.ts';
import type { Soak } from './soak.ts';

const engineAway = 'engine away';
const lookEveryMs = 1_000;
const answerWithinMs = 5_000;

export async function watchEngine(soak: Pick<Soak, 'signal' | 'disturbances' | 'note'>): Promise<void> {
  let end: (() => void) | null = null;
  await repeat(lookEveryMs, soak.signal, async () => {
    const isThere = await answers();
    if (isThere === (end === null)) return;
    soak.note(isThere ? 'engine_back' : 'engine_away', {});
    if (isThere) end?.();
    end = isThere ? null : soak.disturbances.begin(engineAway);
  });
  (end as (() => void) | null)?.();
}

async function answers(): Promise<boolean> {
  const late = new AbortController();
  const answer = engine('GET', '/1.0').then(
    () => true,
    () => false,
  );
  return Promise.race([answer, pause(answerWithinMs, late.signal).then(() => false)]).finally(() => late.abort());
}
