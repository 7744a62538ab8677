/**
 * Decides which waiting requests share the next run. The request that goes first of all is in it; then those with the same key, in order, as far as
 * they fit. So nothing starves, whatever its key or size: what a run passes over because it does not fit is first at some run itself, and goes.
 *
 * First goes who came first, but a step of priority is worth `AGEING_MILLISECONDS`: a request of priority 1 goes before one of priority 3 that came
 * up to 2 s earlier, and after one that came before that. So a stream of urgent requests holds no other back for longer.
 */
import type { Place } from './lane.ts';
import { isBefore, RankedLanes, type Ranked } from './ranked-lanes.ts';

export interface Queued {
  /** Requests with equal keys may share a run; undefined shares with none. */
  readonly key: string | undefined;
  readonly rows: number;
  /** 1 to LOWEST_PRIORITY. */
  readonly priority: number;
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

/** Milliseconds that a request is set back for each step that its priority is below 1. */
export const AGEING_MILLISECONDS = 1000;

/** Requests that a batch may pass over in search of one that fits. It bounds the search, which is otherwise as long as the queue. */
const MOST_PASSED_OVER = 32;

interface Waiting<Entry> extends Ranked {
  readonly entry: Entry;
  readonly group: Group<Entry>;
}

interface Group<Entry> {
  /** What shares with nobody is its own key. */
  readonly key: string | Entry;
  readonly lanes: RankedLanes<Waiting<Entry>>;
  rows: number;
  size: number;
}

interface Places<Entry> {
  readonly waiting: Waiting<Entry>;
  readonly inAll: Place<Waiting<Entry>>;
  readonly inGroup: Place<Waiting<Entry>>;
}

export class BatchQueue<Entry extends Queued> {
  #limits: BatchLimits;
  readonly #all = new RankedLanes<Waiting<Entry>>();
  readonly #places = new Map<Entry, Places<Entry>>();
  /** Never holds an empty group. */
  readonly #groups = new Map<string | Entry, Group<Entry>>();
  /** Those that wait for no company, in the order in which they became so. */
  readonly #full = new Set<Group<Entry>>();

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#places.size;
  }

  get maxBatchSize(): number {
    return this.#limits.maxBatchSize;
  }

  /** Other limits from the next batch on. */
  setLimits(limits: BatchLimits): void {
    this.#limits = limits;
    this.#full.clear();
    for (const group of this.#groups.values()) this.#noteFull(group);
  }

  push(entry: Entry): void {
    const key = entry.key ?? entry;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { key, lanes: new RankedLanes(), rows: 0, size: 0 };
      this.#groups.set(key, group);
    }
    const { priority, order, arrivedAt } = entry;
    const waiting = { entry, group, priority, order, rank: arrivedAt + (priority - 1) * AGEING_MILLISECONDS };
    this.#places.set(entry, {
      waiting,
      inAll: this.#all.insert(waiting),
      inGroup: group.lanes.insert(waiting),
    });
    group.rows += entry.rows;
    group.size += 1;
    this.#noteFull(group);
  }

  /** Takes out one that gave up; false if it is not there. */
  remove(entry: Entry): boolean {
    const places = this.#places.get(entry);
    if (places === undefined) return false;
    const { group } = places.waiting;
    this.#places.delete(entry);
    this.#all.remove(places.inAll);
    group.lanes.remove(places.inGroup);
    group.rows -= entry.rows;
    group.size -= 1;
    if (group.size === 0) this.#groups.delete(group.key);
    if (group.size === 0 || !this.#isFull(group)) this.#full.delete(group);
    return true;
  }

  /** The next batch, taken out of the queue; empty if nothing waits or all that waits may wait longer for company. */
  take(now: number): Entry[] {
    const due = this.#all.first(({ entry }) => this.#dueAt(entry) <= now);
    const [full] = this.#full;
    const ofFull = full?.lanes.first();
    const first = due === undefined || (ofFull !== undefined && isBefore(ofFull, due)) ? ofFull : due;
    if (first === undefined) return [];
    const batch = this.#fill(first);
    for (const entry of batch) this.remove(entry);
    return batch;
  }

  /** When `take` will give something even if nobody else comes; undefined if nothing waits. */
  dueAt(): number | undefined {
    const [full] = this.#full;
    if (full !== undefined) return full.lanes.first()?.entry.arrivedAt;
    let earliest: number | undefined;
    // Of each priority the one that came first is due first; `first` shows exactly those.
    this.#all.first(({ entry }) => {
      const due = this.#dueAt(entry);
      if (earliest === undefined || due < earliest) earliest = due;
      return false;
    });
    return earliest;
  }

  /** Empties the queue, and gives what was in it as it came. */
  clear(): Entry[] {
    const entries = [...this.#places.keys()];
    for (const entry of entries) this.remove(entry);
    return entries;
  }

  #fill(first: Waiting<Entry>): Entry[] {
    const batch = [first.entry];
    let left = this.#limits.maxBatchSize - first.entry.rows;
    let passedOver = 0;
    if (left <= 0) return batch;
    for (const waiting of first.group.lanes.inOrder()) {
      const { rows } = waiting.entry;
      if (waiting === first) continue;
      if (rows <= left) {
        batch.push(waiting.entry);
        left -= rows;
        if (left === 0) break;
      } else if (++passedOver === MOST_PASSED_OVER) break;
    }
    return batch;
  }

  #dueAt({ arrivedAt }: Entry): number {
    return arrivedAt + this.#limits.maxDelayMilliseconds;
  }

  #isFull(group: Group<Entry>): boolean {
    return typeof group.key !== 'string' || group.rows >= this.#limits.maxBatchSize;
  }

  #noteFull(group: Group<Entry>): void {
    if (this.#limits.maxDelayMilliseconds > 0 && this.#isFull(group)) this.#full.add(group);
  }
}
