/**
 * Finds out by runs of made-up rows up to which size a batch pays. A dense layer of 32 rows takes hardly longer than one of 1; a convolution on a CPU
 * takes 32 times as long and more, and then a batch only makes its first request wait for the last. Says what to run next, is told how long it took,
 * and decides; it runs nothing itself.
 */
import type { ModelFacts } from '../../common/wire/announcement.ts';

/** Runs of each size that count, after one that does not: the first of a size plans its memory. */
const ROUNDS = 5;
const LEAST_ROUNDS = 3;
/** Milliseconds of all counted runs after which no further round begins. */
const BUDGET = 500;
/** Milliseconds that one run may be expected to take, which a request that comes meanwhile has to wait. */
const LONGEST_RUN = 250;
/** The same for two rows: fewer show nothing. */
const LONGEST_PAIR = 1000;

/** Batches must give so many times the rows a second that single rows give; less is within what two measurements differ by. */
const GAIN = 1.25;
/** Of sizes that give nearly as much as the best, the smallest is taken: it answers sooner. */
const NEARLY = 0.95;

interface Size {
  readonly rows: number;
  readonly milliseconds: number[];
}

export class BatchMeasurement {
  readonly #sizes: Size[];
  #next = 0;
  #round = 0;
  #spent = 0;
  #stopped = false;
  /** Milliseconds that a pair of rows would take, where that is too long. */
  #slowPair: number | undefined;

  /** Measures 1, 2, 4, … and `maxBatchSize` rows. */
  constructor(maxBatchSize: number) {
    const rows: number[] = [];
    for (let size = 1; size < maxBatchSize; size *= 2) rows.push(size);
    this.#sizes = [...rows, maxBatchSize].map((size) => ({ rows: size, milliseconds: [] }));
  }

  /** Rows of the next run; undefined when it has seen enough. */
  get next(): number | undefined {
    return this.#stopped ? undefined : this.#sizes[this.#next]?.rows;
  }

  /** How long the run of `next` took. */
  record(milliseconds: number): void {
    const size = this.#sizes[this.#next];
    if (size === undefined) return;
    if (this.#round > 0) {
      size.milliseconds.push(milliseconds);
      this.#spent += milliseconds;
    }
    const larger = this.#sizes[this.#next + 1];
    if (this.#round === 0 && larger !== undefined) {
      const expected = (milliseconds * larger.rows) / size.rows;
      const isPair = larger.rows === 2;
      if (expected > (isPair ? LONGEST_PAIR : LONGEST_RUN)) {
        this.#sizes.length = this.#next + 1;
        if (isPair) this.#slowPair = expected;
      }
    }
    this.#next += 1;
    if (this.#next >= this.#sizes.length) this.#endRound();
  }

  /** The run of `next` cannot be made: measures what is smaller. */
  stop(): void {
    this.#sizes.length = this.#next;
    this.#endRound();
  }

  /** What the runs so far say, in words for people too. `reason` is why rows may share a run at all. */
  decide(reason: string): ModelFacts['batching'] {
    const measured = this.#sizes.flatMap(({ rows, milliseconds }) =>
      milliseconds.length < LEAST_ROUNDS ? [] : [{ rows, rowsPerSecond: (rows * 1000) / fastest(milliseconds) }],
    );
    const [single, ...larger] = measured;
    if (single === undefined || larger.length === 0) {
      const cause =
        this.#slowPair === undefined
          ? 'no two made-up rows could be run'
          : `two rows together might take ${significant(this.#slowPair)} ms, for which a request would have to wait`;
      return {
        enabled: false,
        maxBatchSize: 1,
        reason: `Batching is off: nobody measured whether it pays, as ${cause}. Set batching.mode to On if it does.`,
        measured,
      };
    }
    const best = Math.max(...measured.map(({ rowsPerSecond }) => rowsPerSecond));
    const chosen = measured.find(({ rowsPerSecond }) => rowsPerSecond >= NEARLY * best) ?? single;
    const figures = measured.map(({ rows, rowsPerSecond }) => `${rows}: ${significant(rowsPerSecond)}`).join(', ');
    if (best < GAIN * single.rowsPerSecond) {
      return {
        enabled: false,
        maxBatchSize: 1,
        reason: `Batching is off: it does not pay, by rows a second for rows a run (${figures}).`,
        measured,
      };
    }
    return {
      enabled: true,
      maxBatchSize: chosen.rows,
      reason: `${reason} It pays up to ${chosen.rows} rows a run, by rows a second for rows a run (${figures}).`,
      measured,
    };
  }

  #endRound(): void {
    this.#next = 0;
    this.#round += 1;
    this.#stopped = this.#round > ROUNDS || (this.#round > LEAST_ROUNDS && this.#spent > BUDGET);
  }
}

/** The same work takes longer when others use the machine, never shorter. A clock may be too coarse to see a run at all. */
function fastest(values: readonly number[]): number {
  return Math.max(Math.min(...values), 1e-6);
}

function significant(value: number): string {
  return String(Number(value.toPrecision(3)));
}
