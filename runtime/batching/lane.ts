/** A list that gives and takes at both ends and in the middle in constant time, however long it is: an array moves all that is behind. */
export interface Place<Value> {
  readonly value: Value;
  before: Place<Value> | undefined;
  after: Place<Value> | undefined;
}

export class Lane<Value> {
  #first: Place<Value> | undefined;
  #last: Place<Value> | undefined;

  get first(): Place<Value> | undefined {
    return this.#first;
  }

  get last(): Place<Value> | undefined {
    return this.#last;
  }

  /** Puts it before `after`, or last. The place is what `remove` takes. */
  insert(value: Value, after?: Place<Value>): Place<Value> {
    const before = after === undefined ? this.#last : after.before;
    const place: Place<Value> = { value, before, after };
    if (before === undefined) this.#first = place;
    else before.after = place;
    if (after === undefined) this.#last = place;
    else after.before = place;
    return place;
  }

  /** It must be in this lane. */
  remove(place: Place<Value>): void {
    const { before, after } = place;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    // Or a place that V8 has moved to old space would keep all that came after it, though nobody needs it any more.
    place.before = undefined;
    place.after = undefined;
  }
}
