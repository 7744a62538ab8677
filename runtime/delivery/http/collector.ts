import { DownloadError } from '../download-error.ts';
import type { BodySink } from './body-decoder.ts';

/** The body of a short answer. */
export class Collector {
  readonly #most: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes the body; throws DownloadError if it is longer than it may be. */
  readonly onHead = (): BodySink => (bytes) => {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#most)
      throw new DownloadError(`the server answered more than ${this.#most} bytes`, 'lasting');
    this.#chunks.push(Buffer.from(bytes));
  };

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
