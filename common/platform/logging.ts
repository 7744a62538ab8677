/**
 * The process's log: JSON lines on stderr, so that stdout stays for a command's own output. It is our own because a library took 7 ms of CPU of each
 * start of a runtime, a quarter of what Node itself takes.
 */
import { writeSync } from 'node:fs';
import { systemClock } from './clock.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is written for each level, in order; `fatal` is the last words of a process. */
const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type Severity = Exclude<(typeof SEVERITIES)[number], 'silent'>;

/** Messages are constant, capitalised and in the past tense; what varies goes into fields (`logger.info({ revision }, 'Created pod')`). */
interface Log {
  (fields: object, message: string): void;
  (message: string): void;
}

export type Logger = Readonly<Record<Severity, Log>> & {
  /** One whose lines have these fields too. */
  child(fields: object): Logger;
};

/** Fields of these names are never written, at any depth. No header or body is ever logged. */
const SECRET = new Set(['token', 'authorization']);
const STDERR = 2;
/** Milliseconds for which a line waits, in steps, for a reader that is late; then it is lost, for a process must not stop because nobody reads. */
const PATIENCE = { step: 10, steps: 100 };

/** Synchronous, so that the last line before an end is not lost. `write` gets whole lines; another one only in tests. Never throws. */
export function createLogger(process: string, level: LogLevel = 'info', write = writeToStderr): Logger {
  return makeLogger({ process }, SEVERITIES.indexOf(level), write);
}

function makeLogger(base: object, least: number, write: (line: string) => void): Logger {
  const log = (severity: Severity): Log => {
    if (SEVERITIES.indexOf(severity) < least) return () => undefined;
    return (first: object | string, message?: string) => {
      const [fields, msg] = typeof first === 'string' ? [{}, first] : [first, message];
      write(`${format({ level: severity, time: new Date(systemClock.now()).toISOString(), ...base }, fields, msg)}\n`);
    };
  };
  return {
    trace: log('trace'),
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    fatal: log('fatal'),
    child: (fields) => makeLogger({ ...base, ...fields }, least, write),
  };
}

function format(head: object, fields: object, msg: string | undefined): string {
  try {
    return JSON.stringify({ ...head, ...fields, msg }, writable);
  } catch (error) {
    // A cycle, or a getter that throws: the message is worth more than none.
    return JSON.stringify({ ...head, msg, unwritable: String(error) });
  }
}

function writable(name: string, value: unknown): unknown {
  if (SECRET.has(name)) return '[Redacted]';
  if (value instanceof Error) return describe(value);
  return typeof value === 'bigint' ? String(value) : value;
}

/** With what is enumerable, as an error's code. Its cause, and the errors that it sums up, are written the same way. */
function describe(error: Error): object {
  const { name, message, stack, cause } = error;
  const errors: unknown = 'errors' in error ? error.errors : undefined;
  return { ...Object.fromEntries(Object.entries(error)), type: name, message, stack, cause, errors };
}

function writeToStderr(line: string): void {
  let rest: Uint8Array = Buffer.from(line);
  for (let step = 0; rest.length > 0 && step < PATIENCE.steps; step++) {
    try {
      rest = rest.subarray(writeSync(STDERR, rest));
    } catch (error) {
      // A pipe that is full; any other error means that there is nobody to tell.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE.step);
    }
  }
}
