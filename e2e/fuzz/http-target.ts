/** A runtime's HTTP port. */
import { connect, type Socket } from 'node:net';
import type { RuntimeServer } from '../server/start-runtime.ts';
import { makeCase, type Case } from './make-case.ts';
import type { Random } from './random.ts';
import { AnswerReader, type Answer } from './read-answers.ts';
import type { Seed } from './seeds.ts';
import {
  inTime,
  MAX_SENTENCE,
  PATIENCE_MILLISECONDS,
  readGauge,
  type Exchange,
  type Prober,
  type Target,
} from './target.ts';

export function httpTarget(seed: Seed, server: RuntimeServer): Target {
  const { process, metricsPort } = server;
  return {
    name: `${seed.name} by HTTP`,
    server: seed.name,
    process,
    open: () => new HttpProber(seed, server.port),
    canary: () => canary(seed, server.port),
    inFlight: () => readGauge(metricsPort, 'pilotlight_runtime_requests_in_flight'),
  };
}

class HttpProber implements Prober {
  readonly #seed: Seed;
  readonly #port: number;
  #connection: Connection | undefined;

  constructor(seed: Seed, port: number) {
    this.#seed = seed;
    this.#port = port;
  }

  make(random: Random): Exchange {
    const made = makeCase(this.#seed, random);
    return { kind: made.kind, sent: Buffer.concat(made.pieces), run: () => this.#run(made) };
  }

  close(): void {
    this.#connection?.close();
  }

  async #run(made: Case): Promise<string[]> {
    const answers = await this.#connectionFor(made).exchange(made);
    for (const answer of answers) hold(answer);
    return answers.map(({ status }) => String(status));
  }

  /** Where the connection is not to outlive the exchange it is another one, and the old one stays. */
  #connectionFor({ then }: Case): Connection {
    if (then !== 'wait') return new Connection(this.#port);
    if (this.#connection?.open !== true) this.#connection = new Connection(this.#port);
    return this.#connection;
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
async function canary({ name, inputs, output }: Seed, port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/${name}/infer`, {
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
    this.#looking = () => {
      try {
        if (reached()) resolve(undefined);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    this.#looking();
    try {
      await inTime('answer', promise);
    } finally {
      this.#looking = () => undefined;
    }
  }

  #ended(): void {
    this.#closed = true;
    this.#looking();
  }
}
