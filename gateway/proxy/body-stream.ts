import { Readable } from 'node:stream';

export interface StreamOwner {
  /** All that was held is given; what is pushed from now on comes after it. */
  wanted(): void;
  dropped(stream: BodyStream): void;
}

/** One attempt's view of a body: what is held, then what still comes. */
export class BodyStream extends Readable {
  readonly #owner: StreamOwner;
  readonly #held: Buffer[];

  /** The list becomes the stream's own. */
  constructor(held: Buffer[], owner: StreamOwner) {
    super({ highWaterMark: 64 * 1024 });
    this.#held = held;
    this.#owner = owner;
  }

  override _read(): void {
    for (let piece = this.#held.shift(); piece !== undefined; piece = this.#held.shift()) {
      if (!this.push(piece)) return;
    }
    this.#owner.wanted();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#owner.dropped(this);
    callback(error);
  }
}
