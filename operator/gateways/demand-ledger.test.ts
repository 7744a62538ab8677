import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DemandRecord, RevisionDemand } from '../../common/wire/demand.ts';
import { DemandLedger } from './demand-ledger.ts';

const KEY = 'models/digits-00001';

/** A gateway as it really is: concurrency over time, from which it makes records. Times are the operator's. */
class SimulatedGateway {
  readonly bootId: string;
  readonly #bootedAt: number;
  readonly seconds = new Map<number, number>();
  #now: number;
  #concurrency = 0;
  #requestSeconds = 0;
  #requests = 0;
  #sequence = 0;

  constructor(bootedAt: number, bootId = 'boot-1') {
    this.#bootedAt = bootedAt;
    this.#now = bootedAt;
    this.bootId = bootId;
  }

  get requests(): number {
    return this.#requests;
  }

  get requestSeconds(): number {
    return this.#requestSeconds;
  }

  /** Lets time pass at the present concurrency, then has `concurrency` requests. */
  run(until: number, concurrency: number): this {
    for (let at = this.#now; at < until;) {
      const end = Math.min(until, Math.floor(at) + 1);
      const second = Math.floor(at);
      this.seconds.set(second, (this.seconds.get(second) ?? 0) + this.#concurrency * (end - at));
      at = end;
    }
    this.#requestSeconds += this.#concurrency * (until - this.#now);
    this.#requests += Math.max(0, concurrency - this.#concurrency);
    this.#now = until;
    this.#concurrency = concurrency;
    return this;
  }

  record(full = true): DemandRecord {
    const [namespace = '', revision = ''] = KEY.split('/');
    const demand: RevisionDemand = {
      namespace,
      revision,
      requestSeconds: this.#requestSeconds,
      requests: this.#requests,
      inFlight: Math.floor(this.#concurrency / 2),
      queued: Math.ceil(this.#concurrency / 2),
    };
    return this.#envelope(full, [demand]);
  }

  heartbeat(): DemandRecord {
    return this.#envelope(false, []);
  }

  #envelope(full: boolean, revisions: readonly RevisionDemand[]): DemandRecord {
    return {
      type: 'demand',
      bootId: this.bootId,
      sequence: ++this.#sequence,
      uptimeSeconds: this.#now - this.#bootedAt,
      full,
      revisions,
      announcements: [],
    };
  }
}

/** A ledger with what it said. */
function listening(startedAt = 0): {
  ledger: DemandLedger;
  samples: Map<number, number>;
  appeared: string[];
  total: () => number;
  /** Requests that arrived, by second. */
  arrived: Map<number, number>;
} {
  const ledger = new DemandLedger(startedAt);
  const samples = new Map<number, number>();
  const appeared: string[] = [];
  const arrived = new Map<number, number>();
  ledger.listen({
    appeared: (key) => appeared.push(key),
    sample: (key, second, concurrency, requests) => {
      expect(key).toBe(KEY);
      samples.set(second, (samples.get(second) ?? 0) + concurrency);
      arrived.set(second, (arrived.get(second) ?? 0) + requests);
    },
  });
  return { ledger, samples, appeared, total: () => sumOf(samples), arrived };
}

function sumOf(bySecond: ReadonlyMap<number, number>): number {
  return [...bySecond.values()].reduce((sum, value) => sum + value, 0);
}

function expectSameSeconds(got: ReadonlyMap<number, number>, want: ReadonlyMap<number, number>): void {
  for (const second of new Set([...got.keys(), ...want.keys()])) {
    expect({ second, value: got.get(second) ?? 0 }).toEqual({
      second,
      value: expect.closeTo(want.get(second) ?? 0, 6),
    });
  }
}

const steps = fc.array(
  fc.record({
    seconds: fc.double({ min: 0, max: 5, noNaN: true }),
    concurrency: fc.nat({ max: 20 }),
    /** What happens to the record: how late it is, how often it comes, whether at all. */
    delay: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 20, noNaN: true })),
    copies: fc.constantFrom(1, 1, 1, 0, 2),
    full: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('samples by second', () => {
  test('are exactly what was in the gateway, when every record comes at once', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { ledger, samples } = listening();
        const gateway = new SimulatedGateway(10);
        let now = 10;
        for (const { seconds, concurrency, full } of list) {
          now += seconds;
          ledger.record('a', gateway.run(now, concurrency).record(full), now);
          ledger.settle(now);
        }
        now = Math.floor(now) + 1;
        ledger.record('a', gateway.run(now, 0).record(), now);
        expect(ledger.settle(now)).toBe(now - 1);
        expectSameSeconds(samples, gateway.seconds);
      }),
    );
  });

  test('add up to the same total however records are delayed, doubled, reordered or lost, and whoever falls silent', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { ledger, total, arrived } = listening();
        const gateway = new SimulatedGateway(10);
        let now = 10;
        const deliveries = list.flatMap(({ seconds, concurrency, delay, copies, full }) => {
          now += seconds;
          const record = gateway.run(now, concurrency).record(full);
          return Array.from({ length: copies }, (_, copy) => ({ at: now + delay * (copy + 1), record }));
        });
        const end = Math.ceil(Math.max(now, ...deliveries.map(({ at }) => at))) + 1;
        deliveries.push({ at: end, record: gateway.run(end, 0).record() });
        for (const { at, record } of deliveries.toSorted((a, b) => a.at - b.at)) {
          ledger.settle(at);
          ledger.record('a', record, at);
        }
        ledger.settle(end);
        expect(total()).toBeCloseTo(gateway.requestSeconds, 6);
        expect(sumOf(arrived)).toBeCloseTo(gateway.requests, 6);
        expect(ledger.demandOf(KEY)).toEqual({ inFlight: 0, queued: 0, unknown: false });
      }),
    );
  });

  test('of two gateways are their sum, second by second', () => {
    fc.assert(
      fc.property(steps, steps, (first, second) => {
        const { ledger, samples } = listening();
        const gateways = [first, second].map((list, index) => ({
          id: String(index),
          list,
          gateway: new SimulatedGateway(10),
        }));
        const events = gateways.flatMap(({ id, list, gateway }) => {
          let at = 10;
          return list.map(({ seconds, concurrency, full }) => ({
            at: (at += seconds),
            id,
            gateway,
            concurrency,
            full,
          }));
        });
        const end = Math.ceil(Math.max(...events.map(({ at }) => at))) + 1;
        for (const { id, gateway } of gateways) events.push({ at: end, id, gateway, concurrency: 0, full: true });
        for (const { at, id, gateway, concurrency, full } of events.sort((a, b) => a.at - b.at)) {
          ledger.settle(at);
          ledger.record(id, gateway.run(at, concurrency).record(full), at);
        }
        expect(ledger.settle(end)).toBe(end - 1);
        const want = new Map<number, number>();
        for (const { gateway } of gateways)
          for (const [at, value] of gateway.seconds) want.set(at, (want.get(at) ?? 0) + value);
        expectSameSeconds(samples, want);
      }),
    );
  });

  test('lie where the demand was, when the network held the records back', () => {
    const { ledger, samples } = listening();
    const gateway = new SimulatedGateway(0);
    ledger.record('a', gateway.run(1, 4).record(), 1);
    const held = [2, 3, 4, 5, 6].map((at) => gateway.run(at, at === 4 ? 8 : 4).record(false));
    for (const record of held) ledger.record('a', record, 6.5);
    expect(ledger.settle(6.5)).toBe(5);
    for (const [second, want] of [
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 8],
      [5, 4],
    ] as const) {
      expect(samples.get(second)).toBeCloseTo(want, 1);
    }
  });

  test('wait until every gateway that is heard has passed the second', () => {
    const { ledger, samples } = listening();
    const [one, two] = [new SimulatedGateway(0, 'one'), new SimulatedGateway(0, 'two')];
    ledger.record('one', one.run(0.5, 2).record(), 0.5);
    ledger.record('two', two.run(0.5, 3).record(), 0.5);
    ledger.record('one', one.run(2.5, 2).record(false), 2.5);
    ledger.record('two', two.run(1.5, 3).record(false), 2.6);
    expect(ledger.settle(2.7)).toBe(0);
    expect(samples.get(0)).toBeCloseTo(2.5, 1);
    ledger.record('two', two.run(2.7, 3).record(false), 2.7);
    expect(ledger.settle(2.8)).toBe(1);
    expect(samples.get(1)).toBeCloseTo(5, 1);
  });

  test('count a long heartbeat silence of a revision as no demand', () => {
    const { ledger, samples } = listening();
    const gateway = new SimulatedGateway(0);
    ledger.record('a', gateway.run(2, 0).record(), 2);
    for (let at = 3; at <= 9; at++) ledger.record('a', gateway.run(at, 0).heartbeat(), at);
    expect(ledger.settle(9)).toBe(8);
    expect([...samples.values()].every((value) => value === 0)).toBe(true);
  });
});

describe('a gateway that the ledger has not seen before', () => {
  test('counts from its boot when it booted later than the ledger', () => {
    const { ledger, total } = listening(100);
    ledger.record('a', new SimulatedGateway(101).run(101, 3).run(111, 3).record(), 111);
    ledger.settle(112);
    expect(total()).toBeCloseTo(30);
  });

  test('counts from its first record when it is older', () => {
    const { ledger, total } = listening(100);
    const gateway = new SimulatedGateway(50).run(50, 3).run(111, 3);
    ledger.record('a', gateway.record(), 111);
    ledger.record('a', gateway.run(113, 3).record(), 113);
    ledger.settle(113);
    expect(total()).toBeCloseTo(6);
    expect(ledger.demandOf(KEY)).toMatchObject({ inFlight: 1, queued: 2 });
  });

  test('starts anew with another boot id, and loses what the old process held', () => {
    const { ledger, total, appeared } = listening();
    ledger.record('a', new SimulatedGateway(0).run(0, 5).run(10, 5).record(), 10);
    const next = new SimulatedGateway(12, 'boot-2').run(12, 0);
    ledger.record('a', next.record(), 12);
    expect(ledger.demandOf(KEY)).toMatchObject({ inFlight: 0, queued: 0 });
    ledger.record('a', next.run(13, 2).run(15, 2).record(), 15);
    ledger.settle(15);
    expect(total()).toBeCloseTo(50 + 4);
    expect(appeared).toEqual([KEY, KEY]);
  });
});

test('requests lie in the seconds in which they arrived, as far as records tell', () => {
  const { ledger, arrived } = listening();
  const gateway = new SimulatedGateway(10);
  ledger.record('a', gateway.run(11, 0).record(), 11);
  ledger.record('a', gateway.run(12.5, 6).record(false), 12.5);
  ledger.record('a', gateway.run(13, 0).record(false), 13);
  ledger.settle(14);
  expect(Object.fromEntries(arrived)).toEqual({ 11: 4, 12: 2 });
});

test('a total that grows faster than any process could is cut', () => {
  const { ledger, total, arrived } = listening();
  const gateway = new SimulatedGateway(0).run(1, 0);
  ledger.record('a', gateway.record(), 1);
  const [lie] = gateway.run(2, 0).record().revisions;
  ledger.record(
    'a',
    { ...gateway.record(), revisions: lie === undefined ? [] : [{ ...lie, requestSeconds: 1e300, requests: 1e300 }] },
    2,
  );
  ledger.settle(2);
  expect(total()).toBe(1_000_000);
  expect(sumOf(arrived)).toBe(1_000_000);
});

test('a gateway that names ever more revisions is refused, until it says which are left', () => {
  const { ledger } = listening();
  const gateway = new SimulatedGateway(0);
  ledger.listen({ appeared: () => undefined, sample: () => undefined });
  const named = (name: string): RevisionDemand[] =>
    Array.from({ length: 50_000 }, (_, index) => ({
      namespace: name,
      revision: `r-${index}`,
      requestSeconds: 0,
      requests: 1,
      inFlight: 0,
      queued: 0,
    }));
  ledger.record('a', { ...gateway.record(), revisions: named('one') }, 1);
  ledger.record('a', { ...gateway.record(false), revisions: named('two') }, 2);
  expect(() => ledger.record('a', gateway.record(false), 3)).toThrow('more than 100000 revisions');
  ledger.record('a', gateway.record(), 4);
  ledger.record('a', gateway.record(false), 5);
});

test('a revision that a full record leaves out is gone, and counts anew when it is back', () => {
  const { ledger, total } = listening();
  const gateway = new SimulatedGateway(0).run(0, 4).run(5, 4);
  ledger.record('a', gateway.record(), 5);
  ledger.record('a', { ...gateway.heartbeat(), full: true }, 5);
  expect(ledger.demandOf(KEY)).toMatchObject({ inFlight: 0, queued: 0 });
  const [again] = gateway.run(6, 0).record().revisions;
  const reborn = again === undefined ? [] : [{ ...again, requestSeconds: 3 }];
  ledger.record('a', { ...gateway.record(false), revisions: reborn }, 6);
  ledger.settle(6);
  expect(total()).toBeCloseTo(23);
});

describe('demand that appears', () => {
  test('is told once, at once, when the sum leaves zero', () => {
    const { ledger, appeared } = listening();
    const [one, two] = [new SimulatedGateway(0, 'one'), new SimulatedGateway(0, 'two')];
    ledger.record('one', one.run(1, 0).record(), 1);
    expect(appeared).toEqual([]);
    ledger.record('one', one.run(1.2, 1).record(false), 1.2);
    expect(appeared).toEqual([KEY]);
    ledger.record('two', two.run(1.3, 4).record(), 1.3);
    ledger.record('one', one.run(2, 7).record(false), 2);
    expect(appeared).toEqual([KEY]);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 5, queued: 6, unknown: false });
    ledger.record('one', one.run(3, 0).record(false), 3);
    ledger.record('two', two.run(3, 0).record(false), 3);
    ledger.record('two', two.run(4, 1).record(false), 4);
    expect(appeared).toEqual([KEY, KEY]);
  });
});

describe('a gateway that falls silent', () => {
  /** Four requests since second 0, last heard of at 5. */
  function silent(): { gateway: SimulatedGateway } & ReturnType<typeof listening> {
    const all = listening();
    const gateway = new SimulatedGateway(0).run(0, 4);
    for (let at = 1; at <= 5; at++) all.ledger.record('a', gateway.run(at, 4).record(at === 1), at);
    return { gateway, ...all };
  }

  test('is unknown for everything before its first record', () => {
    const { ledger } = listening();
    expect(ledger.demandOf(KEY).unknown).toBe(true);
    ledger.record('a', new SimulatedGateway(0).run(1, 0).record(), 1);
    expect(ledger.demandOf(KEY).unknown).toBe(false);
  });

  test('is unknown for what it had after 3 s, and its last rate holds', () => {
    const { ledger, samples } = silent();
    expect(ledger.settle(8)).toBe(4);
    expect(ledger.demandOf(KEY).unknown).toBe(false);
    expect(ledger.settle(8.1)).toBe(7);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 2, queued: 2, unknown: true });
    expect([5, 6, 7].map((second) => samples.get(second))).toEqual([4, 4, 4]);
  });

  test('is exact again from its next record, in the seconds in between too', () => {
    const { ledger, samples, gateway } = silent();
    ledger.settle(20);
    expect(samples.get(15)).toBe(4);
    ledger.record('a', gateway.run(20, 0).record(), 20);
    expect(ledger.settle(20)).toBe(19);
    expectSameSeconds(samples, gateway.seconds);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 0, queued: 0, unknown: false });
  });

  test.each([
    { name: 'its pod is gone', end: (ledger: DemandLedger) => ledger.gatewayGone('a', 20), settled: undefined },
    {
      name: 'it comes back as another boot',
      end: (ledger: DemandLedger) => ledger.record('a', new SimulatedGateway(19, 'boot-2').run(20, 0).record(), 20),
      settled: 19,
    },
  ])('is forgotten when $name', ({ end, settled }) => {
    const { ledger, total } = silent();
    ledger.settle(19.5);
    end(ledger);
    expect(ledger.settle(20)).toBe(settled);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 0, queued: 0, unknown: false });
    expect(total()).toBeCloseTo(20);
  });

  test('is forgotten when the API doubts it, and not for its silence or the doubt alone', () => {
    const { ledger, total, gateway } = silent();
    ledger.doubt('a', true);
    ledger.settle(6);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 2, queued: 2, unknown: false });
    ledger.doubt('a', false);
    ledger.settle(20);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 2, queued: 2, unknown: true });
    ledger.doubt('a', true);
    expect(ledger.settle(20.1)).toBeUndefined();
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 0, queued: 0, unknown: false });
    expect(total()).toBeCloseTo(20);
    ledger.record('a', gateway.run(30, 4).record(), 30);
    ledger.settle(30);
    expect(ledger.demandOf(KEY)).toEqual({ inFlight: 2, queued: 2, unknown: false });
    expect(total()).toBeCloseTo(120);
  });

  test('does not count twice when it was given up and comes back all the same', () => {
    const { ledger, total, gateway } = silent();
    ledger.gatewayGone('a', 6);
    ledger.record('a', gateway.run(12, 4).record(), 12);
    ledger.settle(12);
    expect(total()).toBeCloseTo(48);
    expect(ledger.demandOf(KEY)).toMatchObject({ inFlight: 2, queued: 2 });
  });

  test('holds nothing when it had no demand', () => {
    const { ledger } = listening();
    ledger.record('a', new SimulatedGateway(0).run(5, 0).record(), 5);
    expect(ledger.settle(20)).toBeUndefined();
    expect(ledger.demandOf(KEY).unknown).toBe(false);
  });

  test('does not stop the seconds of those that are heard', () => {
    const { ledger, samples } = silent();
    const other = new SimulatedGateway(0, 'other').run(5, 1);
    for (let at = 6; at <= 12; at++) ledger.record('b', other.run(at, 1).record(at === 6), at);
    expect(ledger.settle(12)).toBe(11);
    expect(samples.get(11)).toBeCloseTo(5);
  });
});
