/**
 * Sends hostile exchanges to running servers and holds every answer to what a server owes its clients: an answer, in time, below 500, with a sentence
 * that says what is wrong; and to the next client as if nothing had been. Each exchange follows from the seed and its number.
 */
import { connect, type Socket } from 'node:net';
import type { Server } from '../server/start-runtime.ts';
import { AnswerReader, type Answer } from './read-answers.ts';
import { makeCase, type Case } from './make-case.ts';
import { Random } from './random.ts';
import type { Seed } from './seeds.ts';

/** How long an answer may take. A machine that does other things too must not fail it. */
const PATIENCE_MILLISECONDS = 20_000;
const MAX_SENTENCE = 2000;
const CANARY_EVERY = 500;

export interface Target {
  readonly seed: Seed;
  readonly server: Server;
}

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
  readonly statuses: Readonly<Record<number, number>>;
}

/** What a server did wrong, and how to have it do that again. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

/** Rejects with FuzzFailure at the first thing that a server owes and does not do. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const statuses: Record<number, number> = {};
  let next = options.from;
  const end = options.from + options.count;
  let failed = false;
  const lane = async (): Promise<void> => {
    const connections = new Map<Target, Connection>();
    try {
      while (next < end && !failed) {
        const number = next++;
        await one(options, number, connections, statuses);
        if ((number + 1) % 1000 === 0) options.onProgress?.(number + 1 - options.from);
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      for (const connection of connections.values()) connection.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return { statuses };
}

async function one(
  { targets, seed, from }: FuzzOptions,
  number: number,
  connections: Map<Target, Connection>,
  statuses: Record<number, number>,
): Promise<void> {
  const target = targets[number % targets.length];
  if (target === undefined) throw new Error('There is no server to send to.');
  const made = makeCase(target.seed, new Random(seed, number));
  try {
    let connection = connections.get(target);
    if (connection?.open !== true || made.then !== 'wait') {
      if (made.then === 'wait') connection?.close();
      connection = new Connection(target.server.port);
    }
    if (made.then === 'wait') connections.set(target, connection);
    const answers = await connection.exchange(made);
    for (const answer of answers) {
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      hold(answer);
    }
    if (number % CANARY_EVERY === 0) await canary(target);
    if (target.server.process.ended) throw new Error(`The server has ended: ${target.server.process.errors}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const sent = Buffer.concat(made.pieces);
    throw new FuzzFailure(
      [
        `Exchange ${number} of seed ${seed} with ${target.seed.name} (${made.kind}): ${reason}`,
        `  again: make fuzz SEED=${seed} FROM=${number} COUNT=1${from === number ? '' : `; with what came before: FROM=${from} COUNT=${number + 1 - from}`}`,
        `  sent ${sent.length} bytes: ${JSON.stringify(sent.toString('latin1', 0, 3000))}`,
      ].join('\n'),
    );
  }
}

/** Throws if the answer is none that a client may get for its own mistakes. */
function hold({ status, headers, body }: Answer): void {
  if (status < 300) return;
  const text = body.toString();
  // The one failure that is the client's: it gave the server less time than the server took.
  const expired = status === 503 && /timeout/i.test(text);
  if (status >= 500 && !expired) throw new Error(`The server answered ${status} ${text}`);
  if (body.length === 0) return;
  if (headers.get('content-type')?.startsWith('application/json') !== true) {
    throw new Error(`The answer ${status} is no JSON but ${headers.get('content-type') ?? 'of no type'}: ${text}`);
  }
  const { error } = JSON.parse(text) as { readonly error?: unknown };
  if (typeof error !== 'string' || error.length === 0 || error.length > MAX_SENTENCE) {
    throw new Error(`The answer ${status} has no error that a person could read: ${text.slice(0, 3000)}`);
  }
}

/** A good request must be answered as ever. */
async function canary({ seed: { name, inputs, output }, server }: Target): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${server.port}/v2/models/${name}/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs, outputs: [{ name: output }] }),
    signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes(`"${output}"`)) {
    throw new Error(`After it a good request was answered ${response.status} ${text.slice(0, 1000)}`);
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #closed = false;
  #looking: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#looking();
    });
    // A reset is how a server may end a connection whose rest it does not read.
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#ended());
  }

  get open(): boolean {
    return !this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** The answers, once there are as many as there should be or the server has closed the connection. */
  async exchange({ pieces, answers, then }: Case): Promise<Answer[]> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await new Promise(setImmediate);
      if (!this.#closed) this.#socket.write(piece);
    }
    if (then === 'reset') {
      this.close();
      return [];
    }
    if (then === 'end' && !this.#closed) this.#socket.end();
    const got: Answer[] = [];
    await this.#until(() => {
      while (answers === undefined || got.length < answers.length) {
        const answer = this.#reader.next(answers === undefined ? undefined : answers[got.length]);
        if (answer === undefined) return this.#closed;
        got.push(answer);
        if (answer.last && answers !== undefined) this.#closed = true;
      }
      return true;
    });
    if (answers === undefined) this.close();
    else if (got.length < answers.length && got.at(-1)?.last !== true) {
      throw new Error(`The server closed the connection after ${got.length} of ${answers.length} answers.`);
    }
    return got;
  }

  async #until(reached: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(
      () => reject(new Error(`There is no answer after ${PATIENCE_MILLISECONDS / 1000} s.`)),
      PATIENCE_MILLISECONDS,
    );
    this.#looking = () => {
      try {
        if (reached()) resolve(undefined);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    this.#looking();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#looking = () => undefined;
    }
  }

  #ended(): void {
    this.#closed = true;
    this.#looking();
  }
}
