import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { pickPod, type Candidate } from './pod-picker.ts';

class Stub implements Candidate {
  readonly name: string;
  readonly inFlight: number;
  readonly #restUntil: number;

  constructor(name: string, inFlight: number, restUntil = 0) {
    this.name = name;
    this.inFlight = inFlight;
    this.#restUntil = restUntil;
  }

  isAvailable(now: number, limit: number): boolean {
    return now >= this.#restUntil && (limit === 0 || this.inFlight < limit);
  }
}

const draws =
  (...numbers: number[]) =>
  (): number =>
    numbers.shift() ?? 0;

test.each([
  ['none', [], 0, [], undefined],
  ['the only one', [new Stub('a', 5)], 0, [0.9], 'a'],
  ['not the only one if it is full', [new Stub('a', 5)], 5, [0.9], undefined],
  [
    'the one with less in flight of the two drawn',
    [new Stub('a', 5), new Stub('b', 2), new Stub('c', 0)],
    0,
    [0, 0],
    'b',
  ],
  ['the first of two alike', [new Stub('a', 2), new Stub('b', 2)], 0, [0.5, 0], 'b'],
  ['the one that is not full', [new Stub('a', 4), new Stub('b', 9)], 9, [0.5, 0], 'a'],
  ['the one that does not rest', [new Stub('a', 0, 11), new Stub('b', 9)], 0, [0, 0], 'b'],
  ['any with room if neither drawn has', [new Stub('a', 3), new Stub('b', 3), new Stub('c', 1)], 3, [0, 0], 'c'],
  ['none if all are full', [new Stub('a', 3), new Stub('b', 3), new Stub('c', 3)], 3, [0, 0], undefined],
])('takes %s', (_, pods, limit, numbers, want) => {
  expect(pickPod(pods, 10, limit, draws(...numbers))?.name).toBe(want);
});

test('finds room wherever there is some, and never beyond the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 2, maxLength: 2 }),
      (loads, limit, numbers) => {
        const pods = loads.map((load, index) => new Stub(String(index), load));
        const picked = pickPod(pods, 0, limit, draws(...numbers));
        if (loads.some((load) => load < limit)) expect(picked?.inFlight).toBeLessThan(limit);
        else expect(picked).toBeUndefined();
      },
    ),
  );
});
