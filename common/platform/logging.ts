import { pino, type Logger } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The process's logger: JSON lines on stderr, so that stdout stays for a command's own output. Messages are constant, capitalised and in the
 * past tense; what varies goes into fields (`logger.info({ revision }, 'Created pod')`). No header or body is ever logged, tokens are redacted.
 */
export function createLogger(process: string, level: LogLevel = 'info'): Logger {
  return pino(
    {
      name: process,
      level,
      base: { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['token', '*.token', 'authorization', '*.authorization'],
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
