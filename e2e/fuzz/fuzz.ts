/**
 * Sends hostile exchanges to running servers and holds every answer to what a server owes its clients: an answer, in time, that is no fault of its own,
 * with a sentence that says what is wrong; and to the next client as if nothing had been. Each exchange follows from the seed and its number.
 */
import { Random } from './random.ts';
import type { Exchange, Prober, Target } from './target.ts';

const CANARY_EVERY = 500;

export interface FuzzOptions {
  readonly targets: readonly Target[];
  readonly seed: number;
  /** The number of the first exchange. */
  readonly from: number;
  readonly count: number;
  readonly lanes: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzResult {
  /** Answers by their status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** What a server did wrong, and how to have it do that again. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

/** Rejects with FuzzFailure at the first thing that a server owes and does not do. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const statuses: Record<string, number> = {};
  let next = options.from;
  const end = options.from + options.count;
  let failed = false;
  const lane = async (): Promise<void> => {
    const probers = options.targets.map((target) => target.open());
    try {
      while (next < end && !failed) {
        const number = next++;
        for (const status of await one(options, number, probers)) statuses[status] = (statuses[status] ?? 0) + 1;
        if ((number + 1) % 1000 === 0) options.onProgress?.(number + 1 - options.from);
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      for (const prober of probers) prober.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return { statuses };
}

async function one(
  { targets, seed, from }: FuzzOptions,
  number: number,
  probers: readonly Prober[],
): Promise<readonly string[]> {
  const target = targets[number % targets.length];
  const prober = probers[number % targets.length];
  if (target === undefined || prober === undefined) throw new Error('There is no server to send to.');
  const exchange = prober.make(new Random(seed, number));
  try {
    const statuses = await exchange.run();
    if (number % CANARY_EVERY === 0) await target.canary();
    if (target.process.ended) throw new Error(`The server has ended: ${target.process.errors}`);
    return statuses;
  } catch (error) {
    throw failure(error, target, exchange, { seed, from, number });
  }
}

function failure(
  error: unknown,
  target: Target,
  { kind, sent }: Exchange,
  { seed, from, number }: { readonly seed: number; readonly from: number; readonly number: number },
): FuzzFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return new FuzzFailure(
    [
      `Exchange ${number} of seed ${seed} with ${target.name} (${kind}): ${reason}`,
      `  again: make fuzz SEED=${seed} FROM=${number} COUNT=1${from === number ? '' : `; with what came before: FROM=${from} COUNT=${number + 1 - from}`}`,
      `  sent ${sent.length} bytes: ${JSON.stringify(sent.toString('latin1', 0, 1000))}`,
      ...(target.process.errors === '' ? [] : [`  the server's log: ${target.process.errors}`]),
    ].join('\n'),
  );
}
