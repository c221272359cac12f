import type { Logger } from '../../src/lib/log.ts';

const ignore = (): void => undefined;

/** For what is tested by its effects. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
