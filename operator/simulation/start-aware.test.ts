/** What knowing the start time changes, beside Knative's decisions on the same trace. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Decide } from '../autoscaler/decide.ts';
import { longestHold } from '../autoscaler/adjustments/clears-in-time.ts';
import { decideKpa } from '../autoscaler/kpa/decide-kpa.ts';
import { kpaSettings } from '../autoscaler/kpa/kpa-settings.ts';
import { scalingSettings } from '../autoscaler/scaling-settings.ts';
import { burst, functionSpec, simulated, steady, type SimulationChange } from './simulation-fixture.ts';

/** Knative's number within the bounds, without any of our adjustments: it sees ready pods alone. */
const asKnative: Decide = (revision, { averages, demand }, state, now) => {
  const { readyReplicas, scaling } = revision;
  const core = decideKpa(kpaSettings(revision), { readyReplicas, averages }, state.kpa, now.monotonic);
  const present = demand.inFlight + demand.queued > 0 ? 1 : 0;
  const wanted = Math.max(core.desired ?? state.desired, present, scaling.minReplicas);
  const desired = Math.min(wanted, scaling.maxReplicas);
  return {
    decision: {
      desired,
      mode: core.state.panicSince === undefined ? 'Stable' : 'Panic',
      averages,
      reasons: [],
      wokenAt: undefined,
    },
    state: { ...state, kpa: core.state, desired },
  };
};

function lastAnswer(change: SimulationChange): number {
  return Math.max(0, ...simulated(change).requests.map(({ endedAt }) => endedAt));
}

describe('100 requests at once to a model that starts in 20 s and takes 1 s for each', () => {
  test.each([
    // One pod answers 8 a second, so it is done 13 s after its start; 5 pods that answer one a second are done 20 s after theirs, four of them from 2 s on.
    { target: 8, needed: 1, knative: 10, last: 33 },
    { target: 1, needed: 5, knative: 10, last: 42 },
    { target: 1, maxReplicas: 100, needed: 5, knative: 100, last: 42 },
  ])(
    'starts $needed with a target of $target, where Knative starts $knative',
    ({ target, needed, knative, last, maxReplicas = 10 }) => {
      const change = {
        arrivals: burst(0.3, 100),
        scaling: { target, maxReplicas },
        spec: { concurrencyLimit: target },
      };
      const ours = simulated(change);
      expect(ours.podsStarted).toBe(needed);
      expect(simulated({ ...change, decide: asKnative }).podsStarted).toBe(knative);
      expect(ours.requests.every(({ outcome }) => outcome === 'Answered')).toBe(true);
      expect(Math.max(...ours.requests.map(({ endedAt }) => endedAt))).toBeLessThanOrEqual(last + 0.5);
    },
  );

  test('starts what Knative does when callers would not wait for that long', () => {
    const spec = { concurrencyLimit: 1, queue: { maxRequests: 1000, maxBytes: 1, timeoutSeconds: 20 } };
    expect(simulated({ arrivals: burst(0.3, 100), scaling: { target: 1 }, spec }).podsStarted).toBe(10);
  });
});

test('a load that goes on is not taken for a burst: it has the pods that it needs a start later', () => {
  const { moments } = simulated({
    arrivals: steady(0, 120, 40),
    spec: {
      timeoutSeconds: 600,
      concurrencyLimit: 8,
      queue: { maxRequests: 10_000, maxBytes: 1, timeoutSeconds: 600 },
    },
  });
  const ready = moments[30]?.ready ?? 0;
  expect(ready).toBeGreaterThanOrEqual(5);
});

test('an estimate that was wrong is given up: pods that turn out slower are joined by others', () => {
  const spec = {
    concurrencyLimit: 8,
    timeoutSeconds: 600,
    queue: { maxRequests: 10_000, maxBytes: 1, timeoutSeconds: 600 },
  };
  const { moments } = simulated({ arrivals: burst(0, 100, 30), spec });
  expect(moments[19]?.starting).toBe(1);
  expect(Math.max(...moments.map(({ ready }) => ready))).toBeGreaterThan(2);
});

test('no answer is later than with Knative’s number by more than it may be put off for', () => {
  const flows = fc.record({
    requests: fc.integer({ min: 1, max: 200 }),
    rate: fc.integer({ min: 0, max: 30 }),
    serviceSeconds: fc.constantFrom(0.1, 0.5, 1, 3),
    startSeconds: fc.integer({ min: 1, max: 25 }),
    target: fc.constantFrom(1, 2, 8),
  });
  fc.assert(
    fc.property(flows, ({ requests, rate, serviceSeconds, startSeconds, target }) => {
      const arrivals = [...burst(1.3, requests, serviceSeconds), ...steady(1.3, 60, rate, serviceSeconds)].sort(
        (a, b) => a.at - b.at,
      );
      const spec = {
        concurrencyLimit: target,
        timeoutSeconds: 3600,
        queue: { maxRequests: 100_000, maxBytes: 1, timeoutSeconds: 3600 },
      };
      const change = { arrivals, startSeconds, scaling: { target, maxReplicas: 20 }, spec };
      const settings = scalingSettings(functionSpec(change));
      // A decision is up to 2 s late, and what it sees is up to a second old.
      const allowed = longestHold(settings, startSeconds) + 3;
      expect(lastAnswer(change)).toBeLessThanOrEqual(lastAnswer({ ...change, decide: asKnative }) + allowed);
    }),
    { numRuns: 100 },
  );
});
