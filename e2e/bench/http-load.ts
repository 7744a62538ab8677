/**
 * A client that costs little: keep-alive connections on which one request is written, again and again. Closed: each connection asks again as soon as
 * its answer is complete. Open: requests come at random moments of a given rate, whether or not earlier ones were answered.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Target extends HttpRequest {
  /** This machine if absent. */
  readonly host?: string;
  readonly port: number;
  /** Of the body of every answer, where that is known. */
  readonly answerBytes?: number;
  /** In the place of the one request, and of `answerBytes`: these by turns. */
  readonly exchanges?: readonly Exchange[];
}

export interface Exchange extends HttpRequest {
  /** What the answer's body must be. */
  readonly answer: Buffer;
}

export interface ClosedLoop extends Target {
  readonly connections: number;
  readonly milliseconds: number;
  /** Ends earlier after so many. */
  readonly requests?: number;
}

export interface OpenLoop extends ClosedLoop {
  /** Requests a second. */
  readonly rate: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Until the last answer. */
  readonly seconds: number;
  /** Milliseconds, sorted. Of an open loop from the moment at which the request should have been sent. */
  readonly latencies: Float64Array;
  /** Of its one core that this process used: below a half, the client could have asked for twice as much. */
  readonly clientShare: number;
}

/** Rejects if an answer is not 200, or not of the length, or the bytes, that it should have. */
export async function closedLoop(load: ClosedLoop): Promise<LoadResult> {
  const { connections, milliseconds, requests = Infinity, ...target } = load;
  let left = requests;
  const latencies: number[] = [];
  return measure(target, connections, latencies, (lines) => {
    const end = performance.now() + milliseconds;
    const ask = async (line: Line): Promise<void> => {
      for (let now = performance.now(); now < end && left > 0;) {
        left -= 1;
        await line.ask();
        const answered = performance.now();
        latencies.push(answered - now);
        now = answered;
      }
    };
    return Promise.all(lines.map(ask));
  });
}

/** As above. `connections` bounds how many requests are out at once; what comes meanwhile waits, and its wait counts. */
export async function openLoop({ connections, milliseconds, rate, ...target }: OpenLoop): Promise<LoadResult> {
  const latencies: number[] = [];
  return measure(target, connections, latencies, async (lines) => {
    const begun = performance.now();
    const free = [...lines];
    const waiting: number[] = [];
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const run = async (line: Line, due: number): Promise<void> => {
      try {
        await line.ask();
        latencies.push(performance.now() - due);
        const next = waiting.shift();
        if (next === undefined) free.push(line);
        else await run(line, next);
      } catch (error) {
        failures.push(error);
      }
    };
    // Spinning, because a timer is a millisecond late: this process has a core of its own.
    for (let due = begun; due < begun + milliseconds; due -= (Math.log(1 - Math.random()) / rate) * 1000) {
      while (performance.now() < due) await new Promise(setImmediate);
      const line = free.pop();
      if (line === undefined) {
        waiting.push(due);
        continue;
      }
      const running1 = run(line, due).finally(() => running.delete(running1));
      running.add(running1);
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  });
}

async function measure(
  target: Target,
  connections: number,
  latencies: readonly number[],
  load: (lines: readonly Line[]) => Promise<unknown>,
): Promise<LoadResult> {
  const next = turns(target);
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(target)));
  try {
    const lines = sockets.map((socket) => new Line(socket, next));
    const before = process.cpuUsage();
    const begun = performance.now();
    await load(lines);
    const milliseconds = performance.now() - begun;
    const { user, system } = process.cpuUsage(before);
    return {
      requests: latencies.length,
      seconds: milliseconds / 1000,
      latencies: Float64Array.from(latencies).sort(),
      clientShare: (user + system) / 1000 / milliseconds,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

interface Turn {
  readonly request: Buffer;
  readonly answerBytes: number | undefined;
  readonly answer?: Buffer;
}

/** The request of the next ask, on whichever connection. */
function turns(target: Target): () => Turn {
  const all: Turn[] = target.exchanges?.map((exchange) => ({
    request: serialise(exchange),
    answerBytes: exchange.answer.length,
    answer: exchange.answer,
  })) ?? [{ request: serialise(target), answerBytes: target.answerBytes }];
  let count = 0;
  return () => {
    const turn = all[count++ % all.length];
    if (turn === undefined) throw new Error('There is no request to send.');
    return turn;
  };
}

function serialise({ path, headers, body }: HttpRequest): Buffer {
  const fields = Object.entries({ host: 'localhost', ...headers, 'content-length': String(body.length) });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines}\r\n`), body]);
}

async function open({ host = '127.0.0.1', port }: Target): Promise<Socket> {
  const socket = connect({ port, host, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** What an answer in chunks ends with. */
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** One connection, with one request out at a time. */
class Line {
  readonly #socket: Socket;
  readonly #next: () => Turn;
  #turn: Turn | undefined;
  #head = '';
  /** Of the answer, where it is compared. */
  #body: Buffer[] = [];
  /** What of the answer's body is still to come: its bytes, or chunks up to the last; undefined while its head is. */
  #missing: number | 'chunks' | undefined;
  #answered: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(socket: Socket, next: () => Turn) {
    this.#socket = socket;
    this.#next = next;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('The server closed the connection before it answered.')));
  }

  ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#turn = this.#next();
      this.#socket.write(this.#turn.request);
    });
  }

  #read(chunk: Buffer): void {
    if (this.#missing !== undefined) return this.#take(chunk);
    const before = this.#head.length;
    this.#head += chunk.toString('latin1', 0, 2048);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
    const chunked = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(this.#head);
    const expected = this.#turn?.answerBytes;
    const wrongLength = expected !== undefined && Number(length) !== expected;
    if (!this.#head.startsWith('200', 9) || (length === undefined && !chunked) || wrongLength) {
      this.#failed?.(new Error(`The server answered ${this.#head.slice(0, 500)}`));
      return;
    }
    this.#head = '';
    this.#missing = chunked ? 'chunks' : Number(length);
    this.#take(chunk.subarray(end + 4 - before));
  }

  #take(part: Buffer): void {
    const answer = this.#turn?.answer;
    if (answer !== undefined) this.#body.push(part);
    if (this.#missing === 'chunks') {
      if (!part.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)) return;
    } else {
      this.#missing = (this.#missing ?? 0) - part.length;
      if (this.#missing > 0) return;
    }
    this.#missing = undefined;
    const body = this.#body;
    this.#body = [];
    if (answer === undefined || Buffer.concat(body).equals(answer)) this.#answered?.();
    else
      this.#failed?.(
        new Error(
          `The server answered ${Buffer.concat(body).toString('latin1', 0, 200)}, not ${answer.toString('latin1', 0, 200)}`,
        ),
      );
  }
}
