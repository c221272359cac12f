import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** What our code needs of a logger; pino's, and therefore Fastify's, fit. */
export type Logger = Pick<pino.Logger, LogLevel>;

/** JSON lines on stderr (or another descriptor), written at once: a line that was logged survives a crash. */
export function createLogger(options: { level: LogLevel; name: string; fd?: number }): pino.Logger {
  const { level, name, fd = 2 } = options;
  return pino(
    { level, name, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: fd, sync: true }),
  );
}
