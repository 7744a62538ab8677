import type { Cancel, Clock } from '../../common/platform/clock.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** Time that goes from one thing that happens to the next, in no time. Things of the same moment happen in the order in which they were asked for. */
export class EventClock implements Clock {
  #milliseconds = 0;
  #order = 0;
  /** A binary heap: the next one is first. */
  readonly #events: Event[] = [];

  /** Milliseconds since the begin, as `monotonic` is: what a simulation shows of an epoch is how long it is over. */
  now(): number {
    return this.#milliseconds;
  }

  monotonic(): number {
    return this.#milliseconds;
  }

  after(milliseconds: number, callback: () => void): Cancel {
    const event: Event = { at: this.#milliseconds + Math.max(0, milliseconds), order: this.#order++, callback };
    this.#push(event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Goes on to the next thing that happens; false if there is none up to `end`, in milliseconds. */
  step(end: number): boolean {
    const next = this.#events[0];
    if (next === undefined || next.at > end) return false;
    this.#pop();
    this.#milliseconds = next.at;
    next.callback?.();
    return true;
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent];
      if (above === undefined || !isBefore(event, above)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (isBefore(events[child + 1], events[child])) child += 1;
      const below = events[child];
      if (below === undefined || !isBefore(below, last)) break;
      events[index] = below;
      index = child;
    }
    events[index] = last;
  }
}

function isBefore(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
