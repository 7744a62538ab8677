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
  /** The same: by when its run must begin, if ever. */
  readonly deadline?: number;
  /** Who may share its run is here already: it waits for no more. */
  readonly isComplete?: boolean;
}

export interface BatchLimits {
  /** Rows a run; a single request with more runs alone. */
  readonly maxBatchSize: number;
  /** How long a request waits for company when it could run at once; not at all where its deadline would pass meanwhile. */
  readonly maxDelayMilliseconds: number;
}

/** Milliseconds that a request is set back for each step that its priority is below 1. */
export const AGEING_MILLISECONDS = 1000;

/** Requests that a batch may pass over in search of one that fits. It bounds the search, which is otherwise as long as the queue. */
const MOST_PASSED_OVER = 32;

/** One that waits, as `remove` takes it. */
export interface Ticket<Entry> extends Ranked {
  readonly entry: Entry;
  readonly group: Group<Entry>;
  readonly isHurried: boolean;
  /** Undefined once it is out. */
  places: { readonly inAll: Place<Ticket<Entry>>; readonly inGroup: Place<Ticket<Entry>> } | undefined;
}

interface Group<Entry> {
  /** Undefined for a group of one, which shares with nobody. */
  readonly key: string | undefined;
  readonly lanes: RankedLanes<Ticket<Entry>>;
  rows: number;
  size: number;
  /** Those that wait for no company, or whose deadline leaves no time to. */
  hurried: number;
}

export class BatchQueue<Entry extends Queued> {
  #limits: BatchLimits;
  #size = 0;
  readonly #all = new RankedLanes<Ticket<Entry>>();
  /** Those with a key, of which at most one is empty. */
  readonly #groups = new Map<string, Group<Entry>>();
  /**
   * Stays until another is empty: like requests that come one by one find it again. A Map in which each of them puts and deletes something makes a new
   * table every few requests, and V8 has the old one point to the new: once the first is in old space, all of them get there with what they hold.
   */
  #empty: Group<Entry> | undefined;
  /** Those that wait for no company. */
  readonly #full = new Set<Group<Entry>>();

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get maxBatchSize(): number {
    return this.#limits.maxBatchSize;
  }

  /** Other limits from the next batch on. */
  setLimits(limits: BatchLimits): void {
    this.#limits = limits;
    this.#full.clear();
    for (const { group } of this.#all.inOrder()) this.#noteFull(group);
  }

  push(entry: Entry): Ticket<Entry> {
    const { key, priority, order, arrivedAt, deadline = Infinity, isComplete = false } = entry;
    const group = this.#groupOf(key);
    const rank = arrivedAt + (priority - 1) * AGEING_MILLISECONDS;
    const isHurried = isComplete || deadline <= this.#dueAt(entry);
    const ticket: Ticket<Entry> = { entry, group, priority, order, rank, isHurried, places: undefined };
    ticket.places = { inAll: this.#all.insert(ticket), inGroup: group.lanes.insert(ticket) };
    this.#size += 1;
    group.rows += entry.rows;
    group.size += 1;
    if (isHurried) group.hurried += 1;
    this.#noteFull(group);
    return ticket;
  }

  /** Takes out one that gave up; false if it is out already. */
  remove(ticket: Ticket<Entry>): boolean {
    const { entry, group, isHurried, places } = ticket;
    if (places === undefined) return false;
    ticket.places = undefined;
    this.#all.remove(places.inAll);
    group.lanes.remove(places.inGroup);
    this.#size -= 1;
    group.rows -= entry.rows;
    group.size -= 1;
    if (isHurried) group.hurried -= 1;
    if (group.size === 0 || !this.#isFull(group)) this.#full.delete(group);
    if (group.size === 0 && group.key !== undefined) {
      if (this.#empty?.key !== undefined) this.#groups.delete(this.#empty.key);
      this.#empty = group;
    }
    return true;
  }

  /** The next batch, taken out of the queue; empty if nothing waits or all that waits may wait longer for company. */
  take(now: number): Entry[] {
    let first = this.#all.first(({ entry }) => this.#dueAt(entry) <= now);
    for (const { lanes } of this.#full) {
      const ofFull = lanes.first();
      if (ofFull !== undefined && (first === undefined || isBefore(ofFull, first))) first = ofFull;
    }
    if (first === undefined) return [];
    const batch = this.#fill(first);
    for (const ticket of batch) this.remove(ticket);
    return batch.map(({ entry }) => entry);
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
    const tickets = [...this.#all.inOrder()];
    for (const ticket of tickets) this.remove(ticket);
    return tickets.map(({ entry }) => entry).sort((a, b) => a.order - b.order);
  }

  #groupOf(key: string | undefined): Group<Entry> {
    let group = key === undefined ? undefined : this.#groups.get(key);
    if (group !== undefined && group === this.#empty) this.#empty = undefined;
    if (group !== undefined) return group;
    group = { key, lanes: new RankedLanes(), rows: 0, size: 0, hurried: 0 };
    if (key !== undefined) this.#groups.set(key, group);
    return group;
  }

  #fill(first: Ticket<Entry>): Ticket<Entry>[] {
    const batch = [first];
    let left = this.#limits.maxBatchSize - first.entry.rows;
    let passedOver = 0;
    if (left <= 0) return batch;
    for (const waiting of first.group.lanes.inOrder()) {
      const { rows } = waiting.entry;
      if (waiting === first) continue;
      if (rows <= left) {
        batch.push(waiting);
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
    return group.key === undefined || group.rows >= this.#limits.maxBatchSize || group.hurried > 0;
  }

  #noteFull(group: Group<Entry>): void {
    if (this.#limits.maxDelayMilliseconds > 0 && this.#isFull(group)) this.#full.add(group);
  }
}
