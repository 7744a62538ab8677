import { describe, expect, test } from '@jest/globals';
import { decide, firstState, type Observation, type ScalerState } from './decide.ts';
import { revisionWith, type RevisionChange } from './scaling-fixture.ts';

/** One moment of a walk: seconds since its begin, what is seen, and what must be decided. */
interface Step {
  readonly at: number;
  readonly ready?: number;
  readonly starting?: number;
  readonly readySince?: number;
  readonly proven?: boolean;
  readonly reachable?: boolean;
  /** Averages of stable and panic window. */
  readonly windows?: readonly [number, number];
  readonly inFlight?: number;
  readonly queued?: number;
  readonly unknown?: boolean;
  readonly silent?: number;
  readonly want: number;
  readonly because?: readonly string[];
}

const NOTHING = { seconds: 0, requestSeconds: 0, arrived: 0 };
const EPOCH = Date.UTC(2026, 0, 1);

function walk(change: RevisionChange, steps: readonly Step[]): void {
  let state: ScalerState | undefined;
  for (const step of steps) {
    const { at, ready = 0, starting = 0, readySince, want, because } = step;
    const revision = revisionWith({
      ...change,
      readyReplicas: ready,
      startingReplicas: starting,
      readySince: readySince === undefined ? undefined : EPOCH + readySince * 1000,
      proven: step.proven ?? change.proven ?? true,
      reachable: step.reachable ?? change.reachable ?? true,
    });
    const observation: Observation = {
      averages: step.windows && { stable: step.windows[0], panic: step.windows[1] },
      demand: { inFlight: step.inFlight ?? 0, queued: step.queued ?? 0, unknown: step.unknown ?? false },
      measured: NOTHING,
      arrivalRate: 0,
      silentSeconds: step.silent ?? 0,
    };
    const result = decide(revision, observation, state ?? firstState(revision, at), {
      monotonic: at,
      epoch: EPOCH + at * 1000,
    });
    ({ state } = result);
    expect({ at, desired: result.decision.desired }).toEqual({ at, desired: want });
    if (because !== undefined) expect({ at, reasons: result.decision.reasons }).toEqual({ at, reasons: because });
  }
}

describe('target utilisation', () => {
  test('is 100 %: one steady request at a target of 1 is one replica', () => {
    walk({ scaling: { target: 1 } }, [{ at: 0, ready: 1, inFlight: 1, windows: [1, 1], want: 1, because: [] }]);
  });

  test('is not overstepped by what two clocks make of one steady request', () => {
    const steady = { ready: 1, inFlight: 1, want: 1, because: [] };
    walk({ scaling: { target: 1 } }, [
      { at: 0, ...steady, windows: [1.000008, 1.001592] },
      { at: 2, ...steady, windows: [0.999757, 0.998137] },
      { at: 4, ready: 1, inFlight: 2, windows: [1.01, 1.06], want: 2 },
    ]);
  });
});

describe('the rates of steps', () => {
  test('are the function’s own', () => {
    const scaling = { maxReplicas: 100, maxScaleUpRatePercentage: 150, maxScaleDownRatePercentage: 110 };
    walk({ scaling }, [
      { at: 0, ready: 4, inFlight: 400, windows: [400, 400], want: 6 },
      { at: 2, ready: 6, inFlight: 400, windows: [400, 400], want: 9 },
    ]);
    walk({ scaling }, [{ at: 0, ready: 1, windows: [8, 8], want: 1 }]);
    walk({ scaling: { ...scaling, panicThresholdPercentage: 1000 } }, [
      { at: 0, ready: 20, windows: [8, 8], want: 20 },
      { at: 62, ready: 20, windows: [8, 8], want: 18 },
    ]);
  });
});

describe('a step', () => {
  test('is made once in 2 s, however many decisions are asked for as pods go', () => {
    walk({ scaling: { minReplicas: 1 } }, [
      { at: 0, ready: 1, windows: [0, 0], want: 1 },
      { at: 2, ready: 16, windows: [1, 1], want: 8 },
      { at: 2.1, ready: 12, windows: [1, 1], want: 8 },
      { at: 3.9, ready: 8, windows: [1, 1], want: 8 },
      { at: 4, ready: 8, windows: [1, 1], want: 4 },
    ]);
  });
});

describe('what additions leave in a window that is silent', () => {
  test('asks for nothing', () => {
    const ready = { ready: 1, readySince: -600 };
    walk({}, [{ at: 60, ...ready, windows: [1e-17, -1e-17], silent: 60, want: 0, because: [] }]);
  });
});

describe('demand at zero', () => {
  test('wakes a revision before any window has data, and says why', () => {
    walk({}, [{ at: 0, queued: 1, want: 1, because: ['NoData', 'DemandNow'] }]);
  });

  test('asks for the activation replicas, within the bounds', () => {
    walk({ scaling: { activationReplicas: 4 } }, [{ at: 0, queued: 1, want: 4 }]);
    walk({ scaling: { activationReplicas: 4, maxReplicas: 3 } }, [
      { at: 0, queued: 1, want: 3, because: ['NoData', 'DemandNow', 'MaxReplicas'] },
    ]);
  });

  test('keeps the pods that are ready while requests wait for one, as requests a second do not count those', () => {
    const scaling = { metric: 'RequestsPerSecond' as const, target: 1, maxReplicas: 2 };
    const ready = { ready: 2, readySince: -600 };
    walk({ scaling }, [
      { at: 0, ...ready, windows: [2, 2], want: 2 },
      { at: 62, ...ready, inFlight: 2, queued: 3, windows: [0, 0], want: 2, because: ['DemandNow'] },
      { at: 64, ...ready, inFlight: 2, windows: [0, 0], want: 1 },
    ]);
  });

  test('outweighs windows that are silent, for a revision without traffic too', () => {
    walk({ reachable: false }, [{ at: 0, ready: 1, inFlight: 1, windows: [0, 0], want: 1, because: ['DemandNow'] }]);
  });
});

describe('no data', () => {
  test('leaves the scale alone', () => {
    walk({}, [
      { at: 0, ready: 2, starting: 1, want: 3, because: ['NoData'] },
      { at: 200, ready: 3, silent: 200, want: 3, because: ['NoData'] },
    ]);
  });
});

describe('replicas that are starting', () => {
  test('count, so that one slow start is not a panic for the whole queue', () => {
    // 20 requests at a target of 8 ask for 3; with 2 on the way that is 1.5 times what there is, not 3 times.
    walk({}, [
      { at: 0, queued: 1, want: 1 },
      { at: 2, starting: 2, queued: 20, windows: [20, 20], want: 3 },
    ]);
    const revision = revisionWith({ startingReplicas: 2 });
    const observation = {
      averages: { stable: 20, panic: 20 },
      demand: { inFlight: 0, queued: 20, unknown: false },
      measured: NOTHING,
      arrivalRate: 0,
      silentSeconds: 0,
    };
    const { decision } = decide(revision, observation, firstState(revision, 0), { monotonic: 0, epoch: EPOCH });
    expect(decision.mode).toBe('Stable');
  });

  test('are dropped when the backlog clears, though panic holds its peak; ready ones stay', () => {
    walk({}, [
      { at: 0, queued: 1, want: 1 },
      { at: 2, starting: 1, queued: 60, windows: [60, 60], want: 8 },
      { at: 40, ready: 1, starting: 7, queued: 64, windows: [60, 64], want: 8 },
      { at: 42, ready: 2, starting: 6, inFlight: 3, windows: [55, 40], want: 5, because: ['StartingSurplus'] },
      { at: 46, ready: 2, starting: 3, inFlight: 3, windows: [50, 4], want: 2, because: ['StartingSurplus'] },
      { at: 48, ready: 2, inFlight: 3, windows: [48, 3], want: 2 },
      { at: 60, ready: 2, starting: 0, inFlight: 30, windows: [40, 30], want: 4 },
    ]);
  });

  test('of requests per second are dropped alike; those that wait count as a second’s worth', () => {
    walk({ scaling: { metric: 'RequestsPerSecond', target: 20 } }, [
      { at: 0, queued: 1, want: 1 },
      { at: 2, starting: 1, queued: 100, windows: [100, 100], want: 5 },
      { at: 30, starting: 5, queued: 60, windows: [100, 0], want: 3, because: ['StartingSurplus'] },
      { at: 32, ready: 1, starting: 2, queued: 20, windows: [100, 0], want: 1, because: ['StartingSurplus'] },
    ]);
  });

  test('are not dropped on one quiet instant, nor below the activation replicas', () => {
    walk({}, [{ at: 0, ready: 2, starting: 2, inFlight: 1, windows: [32, 32], want: 4, because: [] }]);
    walk({}, [{ at: 0, ready: 2, starting: 2, inFlight: 32, windows: [32, 3], want: 4, because: [] }]);
    walk({ scaling: { activationReplicas: 3 } }, [
      { at: 0, ready: 2, starting: 1, windows: [1, 1], want: 3, because: [] },
    ]);
  });
});

describe('a woken revision', () => {
  test('keeps its replica through a start that outlives the requests, until it was ready for a stable window', () => {
    walk({}, [
      { at: 0, queued: 1, want: 1 },
      { at: 200, starting: 1, windows: [0, 0], silent: 140, want: 1, because: ['Woken'] },
      { at: 400, ready: 1, readySince: 390, windows: [0, 0], silent: 340, want: 1, because: ['Woken'] },
      { at: 448, ready: 1, readySince: 390, windows: [0, 0], silent: 388, want: 1, because: ['Woken'] },
      { at: 450, ready: 1, readySince: 390, windows: [0, 0], silent: 390, want: 0, because: [] },
    ]);
  });

  test('is given up after the start timeout since it was woken, which a replacement pod does not reset', () => {
    walk({}, [
      { at: 0, queued: 1, want: 1 },
      { at: 300, starting: 0, windows: [0, 0], silent: 240, want: 1 },
      { at: 302, starting: 1, windows: [0, 0], silent: 242, want: 1 },
      { at: 599, starting: 1, windows: [0, 0], silent: 539, want: 1 },
      { at: 600, starting: 1, windows: [0, 0], silent: 540, want: 0 },
    ]);
  });

  test('keeps the time of its waking over a new leader, and gets a new one when it is woken again', () => {
    const wokenAt = EPOCH - 590_000;
    walk({ wokenAt }, [
      { at: 0, starting: 1, windows: [0, 0], silent: 100, want: 1, because: ['Woken'] },
      { at: 10, starting: 1, windows: [0, 0], silent: 110, want: 0 },
      { at: 20, queued: 1, windows: [0, 0], want: 1 },
      // The status still shows the earlier waking; it does not count.
      { at: 200, starting: 1, windows: [0, 0], silent: 100, want: 1, because: ['Woken'] },
    ]);
  });

  test('has no floor without traffic', () => {
    walk({ reachable: false, wokenAt: EPOCH }, [{ at: 10, starting: 1, windows: [0, 0], silent: 100, want: 0 }]);
  });
});

describe('scale to zero', () => {
  const ready = { ready: 1, readySince: -600 };

  test('waits for a whole silent stable window, though the average is zero', () => {
    walk({}, [
      { at: 0, ...ready, windows: [0, 0], silent: 0, want: 1, because: ['NotSilentForLong'] },
      { at: 58, ...ready, windows: [0, 0], silent: 58, want: 1, because: ['NotSilentForLong'] },
      { at: 60, ...ready, windows: [0, 0], silent: 60, want: 0, because: [] },
    ]);
  });

  test('does not happen while a stream is open', () => {
    walk({}, [{ at: 900, ...ready, inFlight: 1, windows: [0, 0], silent: 0, want: 1, because: ['DemandNow'] }]);
  });

  test('waits for the retention after that, only with traffic', () => {
    const scaling = { scaleToZeroRetentionSeconds: 100 };
    walk({ scaling }, [
      { at: 60, ...ready, windows: [0, 0], silent: 60, want: 1 },
      { at: 159, ...ready, windows: [0, 0], silent: 159, want: 1 },
      { at: 160, ...ready, windows: [0, 0], silent: 160, want: 0 },
    ]);
    walk({ scaling, reachable: false }, [{ at: 60, ...ready, windows: [0, 0], silent: 60, want: 0 }]);
  });

  test('leaves a revision at zero that is at zero', () => {
    walk({}, [{ at: 0, windows: [0, 0], silent: 0, want: 0, because: [] }]);
  });
});

describe('a new revision', () => {
  const change = { proven: false, scaling: { initialReplicas: 2, startTimeoutSeconds: 300 } };

  test('runs its initial replicas until it is proven, then a silent window ends them', () => {
    walk(change, [
      { at: 0, want: 2, because: ['NoData', 'InitialReplicas'] },
      { at: 100, starting: 2, windows: [0, 0], silent: 100, want: 2 },
      { at: 120, ready: 2, readySince: 110, proven: true, windows: [0, 0], silent: 120, want: 1 },
      { at: 170, ready: 1, readySince: 110, proven: true, windows: [0, 0], silent: 170, want: 0 },
    ]);
  });

  test('that cannot start is given up after the start timeout, once; a request still wakes it', () => {
    walk(change, [
      { at: 0, want: 2 },
      { at: 299, starting: 2, windows: [0, 0], silent: 299, want: 2 },
      { at: 300, starting: 2, windows: [0, 0], silent: 300, want: 0 },
      { at: 400, windows: [0, 0], silent: 400, want: 0 },
      { at: 500, queued: 1, windows: [0, 0], want: 1, because: ['DemandNow'] },
    ]);
  });

  test('runs nothing without traffic', () => {
    walk({ ...change, reachable: false }, [{ at: 0, windows: [0, 0], want: 0 }]);
  });
});

describe('a revision that lost its traffic', () => {
  test('goes as soon as no request is in a gateway, whatever the windows say', () => {
    walk({ reachable: false }, [
      { at: 0, ready: 3, inFlight: 1, windows: [20, 20], want: 3 },
      { at: 2, ready: 3, windows: [20, 20], want: 0, because: ['Retired'] },
    ]);
  });

  test('stays while nobody knows whether there are any', () => {
    walk({ reachable: false }, [
      { at: 0, ready: 3, unknown: true, windows: [20, 20], want: 3, because: ['Retired', 'GatewayUnknown'] },
    ]);
  });
});

describe('bounds', () => {
  test('minReplicas holds only with traffic', () => {
    const scaling = { minReplicas: 3 };
    walk({ scaling }, [{ at: 0, windows: [0, 0], silent: 900, want: 3, because: ['MinReplicas'] }]);
    walk({ scaling, reachable: false }, [{ at: 0, windows: [0, 0], silent: 900, want: 0 }]);
  });

  test('maxReplicas outweighs everything', () => {
    walk({ scaling: { maxReplicas: 2, minReplicas: 2 } }, [
      { at: 0, ready: 5, inFlight: 90, unknown: true, windows: [90, 90], want: 2, because: ['MaxReplicas'] },
    ]);
  });
});

describe('a silent gateway', () => {
  test('holds the scale down, not up', () => {
    walk({}, [
      { at: 0, ready: 1, inFlight: 30, windows: [30, 30], want: 4 },
      { at: 200, ready: 4, unknown: true, windows: [9, 9], want: 4 },
      { at: 300, ready: 4, unknown: true, windows: [0, 0], silent: 100, want: 4, because: ['GatewayUnknown'] },
      { at: 302, ready: 4, unknown: true, inFlight: 45, windows: [45, 45], want: 6 },
      { at: 480, ready: 6, windows: [1, 1], want: 3, because: [] },
    ]);
  });
});

describe('a restart of the operator', () => {
  test('begins in panic at what is ready, and holds it for a stable window', () => {
    walk({}, [
      { at: 0, ready: 5, windows: [0, 0], want: 5 },
      { at: 60, ready: 5, inFlight: 1, windows: [1, 1], want: 5 },
      { at: 62, ready: 5, inFlight: 1, windows: [1, 1], want: 2 },
    ]);
  });

  test('does not begin in panic with one replica', () => {
    const revision = revisionWith({ readyReplicas: 1 });
    expect(firstState(revision, 7).kpa).toEqual({ panicSince: undefined, panicPeak: 0, delay: [] });
  });
});
