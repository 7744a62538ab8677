/** What holds of every trace. A failure prints the seed and the smallest trace that fails. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { burst, simulated, steady, type SimulationChange } from './simulation-fixture.ts';
import type { FunctionResult } from './simulated-function.ts';
import type { Arrival } from './simulated-request.ts';

const pieces = fc.array(
  fc.record({
    at: fc.nat(240),
    requests: fc.integer({ min: 1, max: 60 }),
    overSeconds: fc.constantFrom(0, 0, 5, 60),
    serviceSeconds: fc.constantFrom(0.05, 0.5, 2, 15, 90),
  }),
  { minLength: 1, maxLength: 5 },
);

const settings = fc.record({
  startSeconds: fc.constantFrom(0.5, 3, 20, 70),
  target: fc.constantFrom(1, 4, 8),
  minReplicas: fc.constantFrom(0, 0, 2),
  maxReplicas: fc.constantFrom(2, 5, 20),
  stableWindowSeconds: fc.constantFrom(6, 30, 60),
  isLimited: fc.boolean(),
  metric: fc.constantFrom('Concurrency' as const, 'RequestsPerSecond' as const),
  metricAggregationAlgorithm: fc.constantFrom('Linear' as const, 'WeightedExponential' as const),
});

/** Callers wait for as long as it takes, so that what waits is not a matter of timeouts. */
const PATIENT = { timeoutSeconds: 36_000, queue: { maxRequests: 100_000, maxBytes: 1, timeoutSeconds: 36_000 } };

const anything = fc.tuple(pieces, settings).map(([list, { startSeconds, isLimited, ...scaling }]): SimulationChange => {
  const arrivals = list.flatMap(({ at, requests, overSeconds, serviceSeconds }): Arrival[] =>
    Array.from({ length: requests }, (_, index) => ({ at: at + (overSeconds * index) / requests, serviceSeconds })),
  );
  return {
    arrivals: arrivals.sort((a, b) => a.at - b.at),
    startSeconds,
    slots: scaling.target,
    scaling,
    spec: { ...PATIENT, concurrencyLimit: isLimited ? scaling.target : 0 },
  };
});

function holds(runs: number, check: (result: FunctionResult, change: SimulationChange) => void): void {
  fc.assert(
    fc.property(anything, (change) => {
      check(simulated(change), change);
    }),
    { numRuns: runs },
  );
}

describe('on any trace', () => {
  test('every request is answered', () => {
    holds(60, ({ requests }, { arrivals }) => {
      expect(requests).toHaveLength(arrivals?.length ?? 0);
      expect(requests.filter(({ outcome }) => outcome !== 'Answered')).toEqual([]);
    });
  });

  test('there are never more pods than the most, and never fewer wanted than the least', () => {
    holds(60, ({ moments, decisions }, { scaling: { minReplicas = 0, maxReplicas = 10 } = {} }) => {
      const pods = moments.map(({ ready, starting }) => ready + starting);
      expect(Math.max(...pods)).toBeLessThanOrEqual(maxReplicas);
      expect(Math.min(...pods.slice(1))).toBeGreaterThanOrEqual(minReplicas);
      for (const { decision } of decisions) {
        expect(decision.desired).toBeGreaterThanOrEqual(minReplicas);
        expect(decision.desired).toBeLessThanOrEqual(maxReplicas);
      }
    });
  });

  test('while requests are there, a pod is there or on its way', () => {
    holds(60, ({ moments }) => {
      // A moment can lie between a request and the decision of the same millisecond.
      for (const [index, { waiting, running }] of moments.entries()) {
        const next = moments[index + 1];
        const isThere = next === undefined || next.ready + next.starting > 0;
        if (waiting + running > 0 && !isThere) throw new Error(`There is no pod at ${next.at} s.`);
      }
    });
  });

  test('nothing is left in the end, and zero comes exactly a silent window after the last request', () => {
    holds(60, ({ moments, decisions, requests }, { scaling: { minReplicas = 0, stableWindowSeconds = 60 } = {} }) => {
      const last = moments.at(-1);
      expect(last?.desired).toBe(minReplicas);
      if (minReplicas > 0) return;
      const ended = Math.max(...requests.map(({ endedAt }) => endedAt));
      const zero = decisions.findLast(
        ({ decision }, index) => decision.desired === 0 && (decisions[index - 1]?.decision.desired ?? 0) > 0,
      );
      // Windows are whole seconds, what a gateway says is up to a second old, and decisions are 2 s apart.
      expect(zero?.at).toBeGreaterThanOrEqual(ended + stableWindowSeconds - 1);
      // A panic ends a window after its threshold, the pod stays for a window after it was ready, and from 20 pods it takes five steps.
      expect(zero?.at).toBeLessThanOrEqual(ended + 2 * stableWindowSeconds + 15);
    });
  });
});

test('no pod goes while requests wait for one', () => {
  holds(80, ({ moments }, { arrivals = [], spec }) => {
    // Without a limit, one pod can have them all, and the others be idle.
    if (spec?.concurrencyLimit === 0) return;
    const arrivedIn = new Set(arrivals.map(({ at }) => Math.ceil(at)));
    for (const [index, { at, ready, waiting }] of moments.entries()) {
      const next = moments[index + 1];
      // What waits before and after a second in which nothing came has waited all through it.
      if (next === undefined || waiting === 0 || next.waiting === 0 || arrivedIn.has(next.at)) continue;
      if (next.ready < ready) throw new Error(`A pod went at ${at} s.`);
    }
  });
});

const steadyLoads = fc.record({
  pods: fc.integer({ min: 1, max: 9 }),
  target: fc.constantFrom(1, 4, 8),
  serviceSeconds: fc.constantFrom(0.5, 1, 2),
  startSeconds: fc.constantFrom(0.5, 3, 20),
});

describe('on a steady load', () => {
  test('the number comes to within one of the ideal after the windows, and stays', () => {
    fc.assert(
      fc.property(steadyLoads, ({ pods, target, serviceSeconds, startSeconds }) => {
        // Between two numbers of pods, so that the ideal is not a matter of the last digit.
        const concurrency = (pods - 0.3) * target;
        const { moments } = simulated({
          arrivals: steady(0, 400, concurrency / serviceSeconds, serviceSeconds),
          startSeconds,
          slots: target,
          scaling: { target, maxReplicas: 20 },
          spec: { ...PATIENT, concurrencyLimit: target },
        });
        const settled = moments.filter(({ at }) => at > 260 && at < 398);
        const numbers = new Set(settled.map(({ desired }) => desired));
        expect([...numbers].every((number) => Math.abs(number - pods) <= 1)).toBe(true);
        expect(numbers.size).toBe(1);
      }),
      { numRuns: 30 },
    );
  });
});

test('a burst on a steady load leaves it as it was', () => {
  const arrivals = [...steady(0, 500, 10), ...burst(150, 80)].sort((a, b) => a.at - b.at);
  const { moments } = simulated({ arrivals, startSeconds: 5, spec: { concurrencyLimit: 8 } });
  const before = moments[145];
  expect(moments.filter(({ at }) => at > 320 && at < 490).every(({ desired }) => desired === before?.desired)).toBe(
    true,
  );
});
