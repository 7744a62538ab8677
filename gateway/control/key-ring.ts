/**
 * The keys that pods' tokens are checked with: those of all connected operators together, because while keys are being changed one of them may
 * not know the newest yet. When the last operator leaves, its keys stay.
 */
import type { SigningKey } from '../../common/wire/tokens.ts';

export class KeyRing {
  readonly #byStream = new Map<number, readonly SigningKey[]>();
  #keys: readonly SigningKey[] = [];
  #ids: readonly string[] = [];

  /** Empty before the first operator spoke. */
  get keys(): readonly SigningKey[] {
    return this.#keys;
  }

  /** Ids of the keys, each once. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  set(stream: number, keys: readonly SigningKey[]): void {
    this.#byStream.set(stream, keys);
    this.#join();
  }

  drop(stream: number): void {
    this.#byStream.delete(stream);
    if (this.#byStream.size > 0) this.#join();
  }

  #join(): void {
    this.#keys = [...this.#byStream.values()].flat();
    this.#ids = [...new Set(this.#keys.map(({ id }) => id))];
  }
}
