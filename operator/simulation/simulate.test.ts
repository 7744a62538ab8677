import { describe, expect, test } from '@jest/globals';
import { burst, mostPods, simulated, steady } from './simulation-fixture.ts';

describe('one request to a function at zero', () => {
  const result = simulated({ arrivals: burst(3, 1) });

  test('waits for the start of one pod, and is answered', () => {
    expect(result.requests).toEqual([{ at: 3, serviceSeconds: 1, begunAt: 23, endedAt: 24, outcome: 'Answered' }]);
    expect(result.podsStarted).toBe(1);
  });

  test('is decided on at once, and the pod goes when it was ready, and silent, for a stable window', () => {
    const changes = result.decisions.filter(
      ({ decision }, index) => decision.desired !== result.decisions[index - 1]?.decision.desired,
    );
    const [, , { at: ended } = { at: 0 }] = changes;
    expect(changes.map(({ at, decision }) => [at, decision.desired])).toEqual([
      [0, 0],
      [3, 1],
      [ended, 0],
    ]);
    expect(ended).toBeGreaterThanOrEqual(24 + 60);
    expect(ended).toBeLessThanOrEqual(24 + 60 + 3);
    expect(result.podSeconds).toBeCloseTo(ended - 3, 6);
  });

  test('is seen each second', () => {
    expect(result.moments[0]).toEqual({
      at: 0,
      ready: 0,
      starting: 0,
      desired: 0,
      missing: 0,
      waiting: 0,
      running: 0,
      podSeconds: 0,
    });
    expect(result.moments[10]).toMatchObject({ at: 10, ready: 0, starting: 1, desired: 1, waiting: 1, running: 0 });
    expect(result.moments[24]).toMatchObject({ at: 24, ready: 1, starting: 0 });
  });
});

describe('a pod', () => {
  test('runs so many requests at once as it has slots, and the others after them, though no limit keeps them in the gateway', () => {
    const { requests } = simulated({ arrivals: burst(0, 5), slots: 2, scaling: { maxReplicas: 1 } });
    expect(requests.map(({ begunAt }) => begunAt)).toEqual([20, 20, 21, 21, 22]);
  });

  test('that becomes ready later takes what the gateway holds, where a limit keeps it there', () => {
    const arrivals = burst(0, 12, 10);
    const started = { startSeconds: 1, slots: 1, scaling: { target: 1 } };
    const last = (spec: object): number =>
      Math.max(...simulated({ arrivals, ...started, spec }).requests.map(({ endedAt }) => endedAt));
    expect(last({ concurrencyLimit: 1, queue: { maxRequests: 100, timeoutSeconds: 1000 } })).toBeLessThan(30);
    expect(last({ timeoutSeconds: 1000 })).toBe(121);
  });

  test('that is busy stays until it is idle', () => {
    const { moments, requests } = simulated({ arrivals: burst(0, 1, 400), spec: { timeoutSeconds: 1000 } });
    expect(requests).toMatchObject([{ begunAt: 20, endedAt: 420, outcome: 'Answered' }]);
    expect(moments.filter(({ at }) => at > 20 && at < 420).every(({ ready }) => ready === 1)).toBe(true);
  });
});

describe('a request ends with an error', () => {
  const limits = { queue: { maxRequests: 2, maxBytes: 1000, timeoutSeconds: 10 } };

  test('when the queue is full, and when no pod takes it in time', () => {
    const { requests } = simulated({ arrivals: burst(5, 3), spec: limits });
    expect(requests.map(({ outcome, endedAt, begunAt }) => [outcome, endedAt, begunAt])).toEqual([
      ['QueueFull', 5, undefined],
      ['NoPodInTime', 15, undefined],
      ['NoPodInTime', 15, undefined],
    ]);
  });

  test('when its pod does not answer in time', () => {
    const { requests } = simulated({ arrivals: burst(0, 2, 40), slots: 1, scaling: { maxReplicas: 1 } });
    expect(requests.map(({ outcome, endedAt }) => [outcome, endedAt])).toEqual([
      ['Answered', 60],
      ['TimedOut', 80],
    ]);
  });
});

test('a function that always runs pods has them from the begin', () => {
  const { moments } = simulated({ scaling: { minReplicas: 2 }, arrivals: burst(40, 1), restSeconds: 100 });
  expect(moments[1]).toMatchObject({ starting: 2 });
  expect(moments.at(-1)).toMatchObject({ ready: 2, starting: 0, desired: 2 });
});

test('a steady load has the pods that it needs', () => {
  const result = simulated({ arrivals: steady(0, 300, 20), startSeconds: 2 });
  expect(result.moments[250]).toMatchObject({ ready: 3, starting: 0, waiting: 0, running: 20 });
  expect(mostPods(result)).toBeLessThanOrEqual(10);
});
