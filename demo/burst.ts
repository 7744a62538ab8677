/** Keeps a number of requests going at once for a time, as that many clients would, and counts how they ended. */
import { Pool } from 'undici';

export interface BurstOptions {
  readonly origin: string;
  readonly path: string;
  readonly body: string;
  /** Each sends its next request when it has its answer, so that as many are under way on any machine, fast or slow. */
  readonly clients: number;
  readonly signal: AbortSignal;
  /** Gives a sentence for an answer that is wrong. */
  readonly check: (answer: unknown) => string | undefined;
}

export interface BurstResult {
  answered: number;
  wrong: number;
  /** The first thing that went wrong, for the message. */
  firstProblem: string | undefined;
}

/** Starts the clients; `done` resolves once the signal has aborted and every request under way has ended. */
export function startBurst(options: BurstOptions): { readonly result: BurstResult; readonly done: Promise<void> } {
  const result: BurstResult = { answered: 0, wrong: 0, firstProblem: undefined };
  const pool = new Pool(options.origin, { connections: options.clients });
  const client = async (): Promise<void> => {
    while (!options.signal.aborted) {
      const problem = await once(pool, options);
      result.answered++;
      if (problem !== undefined) {
        result.wrong++;
        result.firstProblem ??= problem;
      }
    }
  };
  const done = Promise.all(Array.from({ length: options.clients }, client)).then(() => pool.close());
  return { result, done };
}

async function once(pool: Pool, { path, body, check }: BurstOptions): Promise<string | undefined> {
  try {
    const answer = await pool.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body });
    const text = await answer.body.text();
    return answer.statusCode === 200 ? check(JSON.parse(text)) : `${answer.statusCode} ${text}`;
  } catch (error) {
    return String(error);
  }
}
