/**
 * Decides which waiting requests share the next run. Requests with the same key may; of them a batch takes the oldest on, in order, until the next
 * one would exceed the size. The batch with the oldest request of all goes first, so nothing starves: whatever its key or size, a request is in one
 * of the next n runs if n requests were before it.
 */
export interface Queued {
  /** Requests with equal keys may share a run; undefined shares with none. */
  readonly key: string | undefined;
  readonly rows: number;
  /** Place in the order of arrival: smaller is older. */
  readonly order: number;
  /** Milliseconds of a monotonic clock. */
  readonly arrivedAt: number;
}

export interface BatchLimits {
  /** Rows a run; a single request with more runs alone. */
  readonly maxBatchSize: number;
  /** How long a request waits for company when it could run at once. */
  readonly maxDelayMilliseconds: number;
}

interface Group<Entry> {
  readonly entries: Entry[];
  rows: number;
}

export class BatchQueue<Entry extends Queued> {
  readonly #limits: BatchLimits;
  /** Never holds an empty group. What shares with nobody is its own key. */
  readonly #groups = new Map<string | Entry, Group<Entry>>();
  #size = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** Entries of one key must come in their order. */
  push(entry: Entry): void {
    this.#size += 1;
    const key = entry.key ?? entry;
    const group = this.#groups.get(key);
    if (group === undefined) {
      this.#groups.set(key, { entries: [entry], rows: entry.rows });
    } else {
      group.entries.push(entry);
      group.rows += entry.rows;
    }
  }

  /** Takes out one that gave up; false if it is not there. */
  remove(entry: Entry): boolean {
    const key = entry.key ?? entry;
    const group = this.#groups.get(key);
    const index = group?.entries.indexOf(entry) ?? -1;
    if (group === undefined || index === -1) return false;
    this.#take(key, group, index, 1);
    return true;
  }

  /** The next batch, taken out of the queue; empty if nothing waits or all that waits may wait longer for company. */
  take(now: number): Entry[] {
    let next: { key: string | Entry; group: Group<Entry>; order: number } | undefined;
    for (const [key, group] of this.#groups) {
      const first = group.entries[0];
      if (first === undefined || (next !== undefined && next.order < first.order)) continue;
      if (this.#dueAt(group, first) <= now) next = { key, group, order: first.order };
    }
    if (next === undefined) return [];
    const { entries } = next.group;
    let rows = entries[0]?.rows ?? 0;
    let count = 1;
    for (let entry = entries[1]; entry !== undefined; entry = entries[count]) {
      rows += entry.rows;
      if (rows > this.#limits.maxBatchSize) break;
      count += 1;
    }
    return this.#take(next.key, next.group, 0, count);
  }

  /** When `take` will give something even if nobody else comes; undefined if nothing waits. */
  dueAt(): number | undefined {
    let earliest: number | undefined;
    for (const group of this.#groups.values()) {
      const first = group.entries[0];
      if (first === undefined) continue;
      const due = this.#dueAt(group, first);
      if (earliest === undefined || due < earliest) earliest = due;
    }
    return earliest;
  }

  /** Empties the queue. */
  clear(): Entry[] {
    const entries = [...this.#groups.values()].flatMap((group) => group.entries);
    this.#groups.clear();
    this.#size = 0;
    return entries;
  }

  #dueAt(group: Group<Entry>, first: Entry): number {
    if (first.key === undefined || group.rows >= this.#limits.maxBatchSize) return first.arrivedAt;
    return first.arrivedAt + this.#limits.maxDelayMilliseconds;
  }

  #take(key: string | Entry, group: Group<Entry>, index: number, count: number): Entry[] {
    const taken = group.entries.splice(index, count);
    for (const { rows } of taken) group.rows -= rows;
    this.#size -= taken.length;
    if (group.entries.length === 0) this.#groups.delete(key);
    return taken;
  }
}
