/** More than any node has workspaces: whoever reports on more made them up. */
const mostKeys = 10_000;

/**
 * Deals with reports one at a time, and of those that came for one key meanwhile with the newest alone: however fast
 * they come, only one is being dealt with.
 */
export function createNewest<T>(
  deal: (report: T) => Promise<void>,
  options: { readonly onError: (error: unknown) => void },
): (key: string, report: T) => void {
  const reports = new Map<string, T>();
  let isRunning = false;

  async function run(): Promise<void> {
    for (const [key, report] of reports) {
      reports.delete(key);
      await deal(report).catch(options.onError);
    }
    isRunning = false;
  }
  return (key, report) => {
    if (reports.size >= mostKeys && !reports.has(key)) return;
    reports.set(key, report);
    if (isRunning) return;
    isRunning = true;
    void run();
  };
}
