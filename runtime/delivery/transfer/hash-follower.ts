/**
 * SHA-256 of a file while it is being written, in a thread of its own that reads what is already there without a gap. One core hashes 1.4 GB/s, about what
 * a download costs besides: on the main thread the two would add up, and parts that come out of order would have to be kept.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** As text, because a thread of the runtime's bundle would be one more file of the image; it needs nothing but Node. */
const PROGRAM = `
  const { createHash } = require('node:crypto');
  const { readSync } = require('node:fs');
  const { parentPort, workerData: fd } = require('node:worker_threads');
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const hash = createHash('sha256');
  let position = 0;
  parentPort.on('message', ({ end, last }) => {
    while (position < end) {
      const length = readSync(fd, buffer, 0, Math.min(buffer.byteLength, end - position), position);
      if (length === 0) throw new Error('the file became shorter while it was hashed');
      hash.update(buffer.subarray(0, length));
      position += length;
    }
    if (last) parentPort.postMessage(hash.digest('hex'));
  });
`;

export class HashFollower {
  readonly #worker: Worker;
  readonly #failed: Promise<never>;

  /** `fd` is open for reading, and stays so until `close` has resolved. */
  constructor(fd: number) {
    this.#worker = new Worker(PROGRAM, { eval: true, workerData: fd });
    this.#failed = once(this.#worker, 'error').then(([error]) => {
      throw error;
    });
    // Whoever asks for the digest sees it.
    this.#failed.catch(() => undefined);
  }

  /** Everything before `end` is in the file. */
  advance(end: number): void {
    this.#worker.postMessage({ end, last: false });
  }

  /** Lower-case hexadecimal, of the file's first `end` bytes. */
  async digest(end: number): Promise<string> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage({ end, last: true });
    const [digest] = (await Promise.race([answer, this.#failed])) as [string];
    return digest;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
