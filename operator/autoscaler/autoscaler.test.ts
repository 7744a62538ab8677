import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { DemandLedger } from '../gateways/demand-ledger.ts';
import { createAutoscaler, type Autoscaler } from './autoscaler.ts';
import type { RevisionKey, ScalableRevision, ScalingDecision } from './scalable.ts';
import { revisionWith, type RevisionChange } from './scaling-fixture.ts';

const KEY = 'models/digits-00001';

/** An autoscaler over a real ledger, with one gateway that reports each second what it is told to have. */
interface Present {
  readonly concurrency: number;
  /** Requests that arrive in a second. */
  readonly rate: number;
  requestSeconds: number;
  requests: number;
}

class Bench {
  readonly clock = new ManualClock();
  readonly ledger = new DemandLedger(0);
  readonly revisions = new Map<RevisionKey, ScalableRevision>();
  readonly decisions: { at: number; key: RevisionKey; decision: ScalingDecision }[] = [];
  /** How often the autoscaler asked for each revision: what a tick costs. */
  readonly asked = new Map<RevisionKey, number>();
  onDecision: () => void = () => undefined;
  readonly #demand = new Map<RevisionKey, Present>();
  readonly autoscaler: Autoscaler;
  #sequence = 0;

  constructor() {
    this.autoscaler = createAutoscaler({
      clock: this.clock,
      ledger: this.ledger,
      scalable: (key) => {
        this.asked.set(key, (this.asked.get(key) ?? 0) + 1);
        return this.revisions.get(key);
      },
      onDecision: (key, decision) => {
        this.decisions.push({ at: this.seconds, key, decision });
        this.onDecision();
      },
      logger: createLogger('test', 'silent'),
    });
  }

  get seconds(): number {
    return this.clock.monotonic() / 1000;
  }

  get desired(): (readonly [number, number])[] {
    return this.decisions.map(({ at, decision }) => [at, decision.desired] as const);
  }

  revise(change: RevisionChange, key = KEY): void {
    this.revisions.set(key, revisionWith(change));
    this.autoscaler.poke(key);
  }

  /** From now on the gateway has so many requests in flight; its record comes at once. */
  demand(concurrency: number, key = KEY, rate = 0): void {
    const { requestSeconds = 0, requests = 0 } = this.#demand.get(key) ?? {};
    this.#demand.set(key, { concurrency, rate, requestSeconds, requests });
    this.report();
  }

  report(): void {
    this.ledger.record(
      'gateway',
      {
        type: 'demand',
        bootId: 'boot',
        sequence: ++this.#sequence,
        uptimeSeconds: this.seconds,
        full: this.#sequence === 1,
        revisions: [...this.#demand].map(([key, { concurrency, requestSeconds, requests }]) => {
          const [namespace = '', revision = ''] = key.split('/');
          return { namespace, revision, requestSeconds, requests, inFlight: concurrency, queued: 0 };
        }),
        announcements: [],
      },
      this.seconds,
    );
  }

  /** Lets time pass with a report each second. */
  async run(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed++) {
      await this.clock.advance(1000);
      for (const demand of this.#demand.values()) {
        demand.requestSeconds += demand.concurrency;
        demand.requests += demand.rate;
      }
      this.report();
    }
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.autoscaler.close();
  expect(bench.clock.pending).toBe(0);
});

describe('demand at zero', () => {
  test('is decided on before the record has been taken, without waiting for a tick', async () => {
    bench.revise({});
    await bench.run(3);
    bench.demand(1);
    expect(bench.desired).toEqual([
      [0, 0],
      [3, 1],
    ]);
    expect(bench.decisions[1]?.decision).toMatchObject({
      reasons: ['NoData', 'DemandNow'],
      wokenAt: bench.clock.now(),
    });
  });

  test('is decided on as soon as the revision is known, when the request came first', async () => {
    bench.demand(1);
    await bench.run(5);
    expect(bench.desired).toEqual([]);
    bench.revise({});
    expect(bench.desired).toEqual([[5, 1]]);
  });
});

test('demand for a revision that does not exist costs nothing after it was looked up', async () => {
  bench.demand(3, 'models/forged');
  await bench.run(2);
  bench.demand(0, 'models/forged');
  await bench.run(2);
  bench.asked.clear();
  await bench.run(20);
  expect(bench.asked.size).toBe(0);
  expect(bench.decisions).toEqual([]);
});

describe('a load', () => {
  test('scales up with the panic window, and to zero a stable window after it ended', async () => {
    bench.revise({});
    bench.demand(40);
    await bench.run(1);
    bench.revise({ readyReplicas: 1, readySince: bench.clock.now() });
    await bench.run(3);
    expect(bench.autoscaler.decision(KEY)).toMatchObject({ desired: 5, mode: 'Panic' });
    bench.revise({ readyReplicas: 5, readySince: bench.clock.now() });
    await bench.run(66);
    expect(bench.autoscaler.decision(KEY)).toMatchObject({
      desired: 5,
      mode: 'Stable',
      averages: { stable: 40, panic: 40 },
    });
    bench.demand(0);
    bench.onDecision = () => {
      const readyReplicas = bench.decisions.at(-1)?.decision.desired ?? 0;
      bench.revisions.set(KEY, revisionWith({ readyReplicas, readySince: bench.clock.now() - 120_000 }));
    };
    await bench.run(58);
    expect(bench.autoscaler.decision(KEY)?.desired).toBeGreaterThan(0);
    await bench.run(8);
    expect(bench.decisions.at(-1)?.decision).toMatchObject({ desired: 0, wokenAt: undefined });
  });

  test('is told only when more than its averages changed', async () => {
    bench.revise({ readyReplicas: 1 });
    bench.demand(4);
    await bench.run(20);
    const before = bench.decisions.length;
    bench.demand(5);
    await bench.run(10);
    expect(bench.decisions).toHaveLength(before);
    expect(bench.autoscaler.decision(KEY)?.averages?.panic).toBeCloseTo(5);
  });

  test('of an open stream alone keeps the revision up', async () => {
    bench.revise({ readyReplicas: 1 });
    bench.demand(1);
    await bench.run(400);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(1);
  });
});

describe('requests per second', () => {
  const scaling = { metric: 'RequestsPerSecond', target: 10 } as const;

  test('decide where they are the metric, however long each takes', async () => {
    bench.revise({ readyReplicas: 1, readySince: bench.clock.now(), scaling });
    bench.demand(90, KEY, 35);
    await bench.run(20);
    expect(bench.autoscaler.decision(KEY)).toMatchObject({ desired: 4, averages: { stable: 35, panic: 35 } });
  });

  test('of none keep the last pod while a stream is open, and let it go a stable window after', async () => {
    bench.revise({ readyReplicas: 1, readySince: bench.clock.now() - 120_000, scaling });
    bench.demand(1);
    await bench.run(100);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(1);
    bench.demand(0);
    await bench.run(64);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(0);
  });

  test('and concurrency are not mixed in a window: a change of the metric begins it anew and lets the scale be', async () => {
    bench.revise({ readyReplicas: 5 });
    bench.demand(40, KEY, 400);
    await bench.run(20);
    bench.revise({ readyReplicas: 5, scaling });
    expect(bench.autoscaler.decision(KEY)).toMatchObject({ desired: 5, reasons: ['NoData'], averages: undefined });
    await bench.run(4);
    expect(bench.autoscaler.decision(KEY)?.averages).toEqual({ stable: 400, panic: 400 });
  });
});

test('WeightedExponential follows a change sooner than Linear', async () => {
  const averages: (number | undefined)[] = [];
  for (const metricAggregationAlgorithm of ['Linear', 'WeightedExponential'] as const) {
    bench.revise({ readyReplicas: 5, scaling: { metricAggregationAlgorithm } });
    bench.demand(40);
    await bench.run(60);
    bench.demand(0);
    await bench.run(10);
    averages.push(bench.autoscaler.decision(KEY)?.averages?.stable);
  }
  const [linear = 0, weighted = 0] = averages;
  expect(linear).toBeCloseTo(34, -1);
  expect(weighted).toBeCloseTo(40 * 0.8 ** 9, 3);
});

describe('a gateway that stops reporting', () => {
  test('holds the scale, however long it is silent, until it is gone', async () => {
    bench.revise({ readyReplicas: 1 });
    bench.demand(4);
    await bench.run(10);
    await bench.clock.advance(600_000);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(1);
    bench.ledger.gatewayGone('gateway', bench.seconds);
    bench.ledger.record(
      'another',
      { type: 'demand', bootId: 'other', sequence: 1, uptimeSeconds: 1, full: true, revisions: [], announcements: [] },
      bench.seconds,
    );
    await bench.clock.advance(2000);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(1);
  });

  test('without any gateway nothing is scaled down', async () => {
    bench.revise({ readyReplicas: 3 });
    await bench.clock.advance(600_000);
    expect(bench.autoscaler.decision(KEY)).toMatchObject({ desired: 3, reasons: ['NoData'] });
  });
});

describe('the cost of a tick', () => {
  test('grows with the revisions that have demand or replicas, not with all', async () => {
    const idle = Array.from({ length: 1000 }, (_, index) => `models/idle-${index}`);
    for (const key of idle) bench.revise({}, key);
    bench.revise({ readyReplicas: 1, scaling: { minReplicas: 1 } });
    bench.report();
    bench.asked.clear();
    await bench.run(20);
    expect([...bench.asked]).toEqual([[KEY, 10]]);
  });

  test('a revision that is given up in panic is decided on until the panic is over', async () => {
    bench.revise({ readyReplicas: 1 });
    bench.demand(20);
    await bench.run(4);
    expect(bench.autoscaler.decision(KEY)?.mode).toBe('Panic');
    bench.demand(0);
    bench.revise({ reachable: false });
    await bench.run(70);
    expect(bench.autoscaler.decision(KEY)).toMatchObject({ desired: 0, mode: 'Stable' });
    bench.asked.clear();
    await bench.run(10);
    expect(bench.asked.size).toBe(0);
  });

  test('a revision that comes to rest is left alone, and decided on again when poked', async () => {
    bench.revise({ readyReplicas: 1, readySince: bench.clock.now() });
    bench.report();
    await bench.run(70);
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(0);
    bench.asked.clear();
    await bench.run(10);
    expect(bench.asked.size).toBe(0);
    bench.revise({ scaling: { minReplicas: 2 } });
    expect(bench.autoscaler.decision(KEY)?.desired).toBe(2);
  });
});

test('a window that is made longer stays filled, a shorter one forgets', async () => {
  bench.revise({ readyReplicas: 5, scaling: { stableWindowSeconds: 60 } });
  bench.demand(40);
  await bench.run(30);
  bench.demand(0);
  await bench.run(20);
  const averages: (number | undefined)[] = [];
  for (const stableWindowSeconds of [60, 600, 10]) {
    bench.revise({ readyReplicas: 5, scaling: { stableWindowSeconds } });
    averages.push(bench.autoscaler.decision(KEY)?.averages?.stable);
  }
  expect(averages).toEqual([expect.closeTo(24, 0), expect.closeTo(24, 0), 0]);
});

test('a listener that throws does not keep the next revision from being decided on', async () => {
  const readySince = bench.clock.now();
  bench.revise({ readyReplicas: 1, readySince }, 'models/first');
  bench.revise({ readyReplicas: 1, readySince }, 'models/second');
  bench.report();
  bench.onDecision = () => {
    throw new Error('thrown by the listener');
  };
  await bench.run(70);
  expect(bench.autoscaler.decision('models/second')?.desired).toBe(0);
});

test('a revision that is forgotten is not decided on any more', async () => {
  bench.revise({ readyReplicas: 1 });
  bench.revisions.delete(KEY);
  bench.autoscaler.forget(KEY);
  bench.asked.clear();
  await bench.run(10);
  expect(bench.autoscaler.decision(KEY)).toBeUndefined();
  expect(bench.asked.size).toBe(0);
});
