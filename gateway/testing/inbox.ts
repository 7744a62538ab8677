/** What arrived, to be awaited: tests wait for events, never for time. */
export class Inbox<Item> {
  readonly all: Item[] = [];
  readonly #waiting = new Set<() => void>();
  #read = 0;

  put(item: Item): void {
    this.all.push(item);
    for (const wake of [...this.#waiting]) wake();
  }

  /** The next item that fits, of those that were not returned or passed over before. */
  async next(fits: (item: Item) => boolean = () => true): Promise<Item> {
    for (;;) {
      while (this.#read < this.all.length) {
        const item = this.all[this.#read];
        this.#read += 1;
        if (item !== undefined && fits(item)) return item;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
