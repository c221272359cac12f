export type Silence = Disposable & {
  /** Aborted when nothing was heard for too long. */
  readonly signal: AbortSignal;
  /** Passes on what it hears. */
  listen(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;
};

/**
 * Notices a connection whose other end is gone without a word, as after a laptop's sleep: TCP alone would not for many
 * minutes.
 */
export function watchSilence(silentMs: number): Silence {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error(`nothing was heard of it for ${Math.round(silentMs / 1000)} s`));
  }, silentMs);
  return {
    signal: controller.signal,
    listen: () =>
      new TransformStream({
        transform(chunk, out) {
          timer.refresh();
          out.enqueue(chunk);
        },
      }),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
