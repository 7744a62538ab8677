/** What is fuzzed: a server, spoken to by one protocol. */
import type { MeasuredProcess } from '../server/measured-process.ts';
import type { Random } from './random.ts';

export interface Target {
  readonly name: string;
  /** What runs there. */
  readonly server: string;
  readonly process: MeasuredProcess;
  /** For one lane, which sends one exchange after the other. */
  open(): Prober;
  /** Rejects if a good request is not answered as ever. */
  canary(): Promise<void>;
  /** Requests that the server believes it has; 0 when nobody sends. */
  inFlight(): Promise<number>;
}

export interface Prober {
  /** An exchange, made from these choices alone. */
  make(random: Random): Exchange;
  close(): void;
}

export interface Exchange {
  /** How it was made, for whoever reads of a failure. */
  readonly kind: string;
  readonly sent: Buffer;
  /** Sends it. Resolves with the status of each answer; rejects with what the server owes and does not do. */
  run(): Promise<readonly string[]>;
}

/** How long an answer may take. A machine that does other things too must not fail it. */
export const PATIENCE_MILLISECONDS = 20_000;
/** Of an error. */
export const MAX_SENTENCE = 2000;

/** Rejects, naming what there is not, when that takes too long. */
export async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`There is no ${what} after ${PATIENCE_MILLISECONDS / 1000} s.`)),
    PATIENCE_MILLISECONDS,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The value of a gauge among a server's metrics, summed over its labels. */
export async function readGauge(metricsPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
