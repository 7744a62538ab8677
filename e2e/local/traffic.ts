/** Clients that send one request after the other, and remember every answer. */
import type { Answer } from './request.ts';

export class Traffic {
  readonly answers: Answer[] = [];
  readonly #clients: readonly Promise<void>[];
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
  #stopped = false;

  constructor(clients: number, send: () => Promise<Answer>) {
    this.#clients = Array.from({ length: clients }, async () => {
      while (!this.#stopped) {
        this.answers.push(await send());
        for (const { until, resolve } of this.#waiting) if (until()) resolve();
      }
    });
    // A request that fails ends its client; `stop` says so.
    for (const client of this.#clients) client.catch(() => undefined);
  }

  /** The answers from now on, once there are so many. */
  async next(count: number): Promise<readonly Answer[]> {
    const from = this.answers.length;
    await this.until(() => this.answers.length >= from + count);
    return this.answers.slice(from);
  }

  /** Looks at each answer until it is so. */
  async until(reached: () => boolean): Promise<void> {
    const found = new Promise<void>((resolve) => this.#waiting.push({ until: reached, resolve }));
    await Promise.race([found, Promise.all(this.#clients)]);
  }

  /** Resolves when the last answer has come; rejects if one did not come. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }
}
