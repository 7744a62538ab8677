/**
 * What waits, in the order of its rank, with a lane for each priority: within one of them ranks come in order, so that a value is put last and taken
 * from the front at the same cost however many wait. Only what was taken and comes back is put at its place from the front.
 */
import { LOWEST_PRIORITY } from '../inference.ts';
import { Lane, type Place } from './lane.ts';

export interface Ranked {
  /** 1 to LOWEST_PRIORITY. */
  readonly priority: number;
  /** Smaller goes first. */
  readonly rank: number;
  /** Smaller goes first among equal ranks. */
  readonly order: number;
}

export class RankedLanes<Value extends Ranked> {
  /** By priority; made when the first of it comes, as nearly all requests have the same. */
  readonly #lanes: (Lane<Value> | undefined)[] = [];

  insert(value: Value): Place<Value> {
    const lane = (this.#lanes[value.priority] ??= new Lane());
    if (lane.last === undefined || isBefore(lane.last.value, value)) return lane.insert(value);
    let later = lane.first;
    while (later !== undefined && isBefore(later.value, value)) later = later.after;
    return lane.insert(value, later);
  }

  /** It must be in here. */
  remove(place: Place<Value>): void {
    this.#lanes[place.value.priority]?.remove(place);
  }

  /** The value that goes first; with a condition, the first of those lanes' firsts that meet it. */
  first(meets: (value: Value) => boolean = () => true): Value | undefined {
    let first: Value | undefined;
    for (let priority = 1; priority <= LOWEST_PRIORITY; priority += 1) {
      const value = this.#lanes[priority]?.first?.value;
      if (value !== undefined && (first === undefined || isBefore(value, first)) && meets(value)) first = value;
    }
    return first;
  }

  /** All of them in order; nothing may be inserted or removed meanwhile. */
  *inOrder(): Generator<Value, undefined> {
    const next = this.#lanes.map((lane) => lane?.first);
    for (;;) {
      let first: Place<Value> | undefined;
      for (const place of next) {
        if (place !== undefined && (first === undefined || isBefore(place.value, first.value))) first = place;
      }
      if (first === undefined) return;
      next[first.value.priority] = first.after;
      yield first.value;
    }
  }
}

export function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order);
}
