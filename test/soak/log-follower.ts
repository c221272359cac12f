/** Follows a service that prints `tick 1`, `tick 2`, …: no line may be missing while the connection lasts. */
import { pause } from './pause.ts';
import type { Soak } from './soak.ts';

export const ticker = {
  name: 'ticker',
  command: 'i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 1; done',
};

const silentMs = 30_000;

/** Until the load ends; a connection that ends is counted, and made again. */
export async function followTicks(soak: Soak, workspaceId: string): Promise<void> {
  while (!soak.signal.aborted) {
    let lastUsedMs = soak.now();
    let isOpen = false;
    const onTick = (): void => {
      lastUsedMs = soak.now();
      isOpen = true;
      soak.followers.use();
    };
    await follow(soak, workspaceId, onTick).catch((error: unknown) => {
      // While it cannot be opened, it is tried again: that is not one more that ended.
      const isRetry = !isOpen && soak.disturbances.since(lastUsedMs).length > 0;
      if (isRetry || soak.signal.aborted) return;
      soak.followers.end({ lastUsedMs, reason: `${workspaceId}: ${(error as Error).message}` });
    });
    await pause(1_000, soak.signal);
  }
}

async function follow(soak: Soak, workspaceId: string, onTick: () => void): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`no line in ${silentMs / 1000} s`)), silentMs);
  try {
    const response = await fetch(
      `${soak.nexus.url}/api/v1/workspaces/${workspaceId}/logs?service=${ticker.name}&lines=1&follow=true`,
      {
        headers: { authorization: `Bearer ${soak.token}` },
        signal: AbortSignal.any([soak.signal, silence.signal]),
      },
    );
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    soak.followers.open();
    let last: number | null = null;
    for await (const line of linesOf(response.body)) {
      if (line.startsWith('event: error')) throw new Error('the stream ended with an error');
      const tick = /^data: tick (\d+)$/.exec(line)?.[1];
      if (tick === undefined) continue;
      if (last !== null && Number(tick) !== last + 1) throw new Error(`tick ${tick} came after tick ${last}`);
      last = Number(tick);
      timer.refresh();
      onTick();
    }
    throw new Error('the stream ended');
  } finally {
    clearTimeout(timer);
  }
}

async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
