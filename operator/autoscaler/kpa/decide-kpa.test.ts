import { expect, test } from '@jest/globals';
import { decideKpa, type KpaSettings, type KpaState } from './decide-kpa.ts';

const SETTINGS: KpaSettings = {
  target: 10,
  panicThreshold: 2,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  stableWindowSeconds: 60,
  scaleDownDelaySeconds: 0,
  activationReplicas: 1,
  reachable: true,
};
const CALM: KpaState = { panicSince: undefined, panicPeak: 0, delay: [] };

test('leaves the scale and its state alone without data', () => {
  const state: KpaState = { panicSince: 3, panicPeak: 7, delay: [] };
  expect(decideKpa(SETTINGS, { readyReplicas: 5, averages: undefined }, state, 1000)).toEqual({
    desired: undefined,
    state,
  });
});

test.each<{
  name: string;
  settings?: Partial<KpaSettings>;
  ready: number;
  stable: number;
  panic?: number;
  want: number;
}>([
  { name: 'one replica per target', ready: 2, stable: 21, want: 3 },
  { name: 'nothing for no demand', ready: 1, stable: 0, want: 0 },
  { name: 'one for the least demand', ready: 0, stable: 0.000001, want: 1 },
  { name: 'at least half of what is ready', ready: 9, stable: 0, want: 4 },
  { name: 'nothing at once when unreachable', settings: { reachable: false }, ready: 9, stable: 0, want: 0 },
  { name: 'at most the rate allows', settings: { maxScaleUpRate: 1.5 }, ready: 3, stable: 100, want: 5 },
  { name: 'one more even at a small rate', settings: { maxScaleUpRate: 1.1 }, ready: 2, stable: 30, want: 3 },
  {
    name: 'the activation scale for the least demand',
    settings: { activationReplicas: 4 },
    ready: 0,
    stable: 0.1,
    want: 4,
  },
  { name: 'no activation scale for no demand', settings: { activationReplicas: 4 }, ready: 1, stable: 0, want: 0 },
])('asks for $name', ({ settings, ready, stable, panic = stable, want }) => {
  const observation = { readyReplicas: ready, averages: { stable, panic } };
  const calm = { ...SETTINGS, panicThreshold: 100, ...settings };
  expect(decideKpa(calm, observation, CALM, 0)).toEqual({ desired: want, state: CALM });
});

test('holds the peak of a panic until the threshold was not crossed for a stable window', () => {
  const walk: { at: number; ready: number; stable: number; panic: number; want: number; panicSince?: number }[] = [
    { at: 0, ready: 1, stable: 5, panic: 15, want: 2, panicSince: 0 },
    { at: 2, ready: 2, stable: 9, panic: 95, want: 10, panicSince: 2 },
    { at: 4, ready: 10, stable: 9, panic: 5, want: 10, panicSince: 2 },
    { at: 62, ready: 10, stable: 9, panic: 5, want: 10, panicSince: 2 },
    { at: 64, ready: 10, stable: 9, panic: 5, want: 5 },
    { at: 66, ready: 5, stable: 9, panic: 5, want: 2 },
  ];
  let state = CALM;
  for (const { at, ready, stable, panic, want, panicSince } of walk) {
    const decision = decideKpa(SETTINGS, { readyReplicas: ready, averages: { stable, panic } }, state, at);
    expect({ at, desired: decision.desired, panicSince: decision.state.panicSince }).toEqual({
      at,
      desired: want,
      panicSince,
    });
    ({ state } = decision);
  }
});

test('scales down only after the delay, unless nothing reaches it', () => {
  const settings = { ...SETTINGS, panicThreshold: 100, scaleDownDelaySeconds: 10 };
  const walkDown = (reachable: boolean): (number | undefined)[] => {
    let state = CALM;
    return [40, 10, 10, 10, 10, 10].map((load, index) => {
      const observation = { readyReplicas: 1, averages: { stable: load, panic: load } };
      const decision = decideKpa({ ...settings, reachable }, observation, state, 2 * index);
      ({ state } = decision);
      return decision.desired;
    });
  };
  expect(walkDown(true)).toEqual([4, 4, 4, 4, 4, 1]);
  expect(walkDown(false)).toEqual([4, 1, 1, 1, 1, 1]);
});
