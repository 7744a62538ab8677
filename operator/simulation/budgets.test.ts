/** Functions that share a budget. A failure of a property prints the seed and the smallest traces that fail. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { simulate, type SimulationResult } from './simulate.ts';
import type { FunctionInput } from './simulated-function.ts';
import { burst, functionInput, steady } from './simulation-fixture.ts';

const GPU = 'nvidia.com/gpu';
/** Callers wait for as long as it takes. */
const PATIENT = { timeoutSeconds: 36_000, queue: { maxRequests: 100_000, maxBytes: 1, timeoutSeconds: 36_000 } };

interface Wish {
  readonly need: number;
  readonly priority?: number;
  readonly minReplicas?: number;
  readonly startSeconds?: number;
  readonly arrivals?: FunctionInput['arrivals'];
}

function functionOf({ need, priority = 0, minReplicas = 0, ...input }: Wish, index: number): FunctionInput {
  return functionInput({
    ...input,
    name: `fn-${index}`,
    slots: 1,
    scaling: { target: 1, maxReplicas: 20, stableWindowSeconds: 6, priority, minReplicas },
    spec: { ...PATIENT, concurrencyLimit: 1, resources: { limits: { [GPU]: need } } },
  });
}

function shared(limit: number, wishes: readonly Wish[], restSeconds?: number): SimulationResult {
  return simulate({
    functions: wishes.map(functionOf),
    budgets: [{ resource: GPU, namespace: undefined, limit }],
    ...(restSeconds !== undefined && { restSeconds }),
  });
}

const wish = fc.record({
  need: fc.constantFrom(1, 1, 2),
  priority: fc.integer({ min: -1, max: 1 }),
  startSeconds: fc.constantFrom(0.5, 5, 20),
  arrivals: fc
    .array(fc.record({ at: fc.nat(90), serviceSeconds: fc.constantFrom(0.2, 2, 15) }), { maxLength: 25 })
    .map((all) => all.sort((a, b) => a.at - b.at)),
});
const fleet = fc.record({
  limit: fc.integer({ min: 2, max: 6 }),
  wishes: fc.array(wish, { minLength: 1, maxLength: 4 }),
});

describe('on any traces', () => {
  test('pods never hold more than the budget has', () => {
    fc.assert(
      fc.property(fleet, ({ limit, wishes }) => {
        const { functions, budgets } = shared(limit, wishes);
        const seconds = Math.max(...functions.map(({ moments }) => moments.length));
        for (let second = 0; second < seconds; second++) {
          const held = functions.reduce((sum, { moments }, index) => {
            const { ready = 0, starting = 0 } = moments[second] ?? {};
            return sum + (ready + starting) * (wishes[index]?.need ?? 0);
          }, 0);
          if (held > limit) throw new Error(`At ${second} s pods hold ${held} of ${limit}.`);
          expect(budgets[0]?.held[second]).toBe(held);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('nobody starves: every request is answered, and in the end nothing is left', () => {
    fc.assert(
      fc.property(fleet, ({ limit, wishes }) => {
        const { functions } = shared(limit, wishes);
        for (const [index, { requests, moments }] of functions.entries()) {
          expect(requests.filter(({ outcome }) => outcome === 'Answered')).toHaveLength(
            wishes[index]?.arrivals.length ?? 0,
          );
          expect(moments.at(-1)).toMatchObject({ ready: 0, starting: 0, missing: 0 });
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Of one GPU each: one that needs two may find one free, and has to wait. */
const warmFleet = fc.record({
  limit: fc.integer({ min: 2, max: 6 }),
  wishes: fc.array(
    fc.tuple(wish, fc.nat(2)).map(([each, minReplicas]) => ({ ...each, need: 1, minReplicas })),
    { minLength: 1, maxLength: 4 },
  ),
});

test('on any traces, whoever has fewer pods than its least, or says that it lacks some, finds no room', () => {
  fc.assert(
    fc.property(warmFleet, ({ limit, wishes }) => {
      // Where others' least takes all there is, who is called waits for as long as its caller does.
      const { functions, budgets } = shared(limit, wishes, 300);
      for (const [index, { moments }] of functions.entries()) {
        const { minReplicas = 0 } = wishes[index] ?? {};
        for (const [second, { ready, starting, missing }] of moments.entries()) {
          const free = limit - (budgets[0]?.held[second] ?? 0);
          // What becomes free is claimed in the same millisecond, but after whoever looks may have looked.
          const freeNext = limit - (budgets[0]?.held[second + 1] ?? limit);
          if (second === 0 || free === 0 || freeNext === 0) continue;
          if (ready + starting < minReplicas || missing > 0) {
            throw new Error(
              `At ${second} s fn-${index} has ${ready + starting} of ${minReplicas} and lacks ${missing}; ${free} are free.`,
            );
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('who finds room for all that it wants never says that it lacks any', () => {
  const { functions } = shared(40, [
    { need: 1, arrivals: burst(0, 40, 5) },
    { need: 1, arrivals: steady(30, 60, 2) },
  ]);
  for (const { moments } of functions) expect(moments.filter(({ missing }) => missing > 0)).toEqual([]);
});

test('it ends when all is at rest, also where there is never room for the least of all', () => {
  const { functions } = shared(2, [
    { need: 1, minReplicas: 2, arrivals: burst(10, 1) },
    { need: 1, minReplicas: 1 },
  ]);
  const [last] = functions.map(({ moments }) => moments.at(-1)).slice(1);
  expect(last).toMatchObject({ ready: 0, desired: 1, missing: 1 });
  expect(last?.at).toBeLessThan(60);
});

test('without a budget that bounds it, a function has what it wants', () => {
  const [alone] = shared(2, [{ need: 0, arrivals: burst(0, 40, 5) }]).functions;
  expect(Math.max(...(alone?.moments ?? []).map(({ ready }) => ready))).toBeGreaterThan(2);
  expect(alone?.moments.every(({ missing }) => missing === 0)).toBe(true);
});

test('what wants more than there is room for says how much it lacks', () => {
  const { functions } = shared(2, [{ need: 1, arrivals: steady(0, 60, 5) }]);
  const [{ moments } = { moments: [] }] = functions;
  const { ready, desired = 0, missing } = moments.find(({ at }) => at === 40) ?? {};
  expect(desired).toBeGreaterThanOrEqual(5);
  expect({ ready, missing }).toEqual({ ready: 2, missing: desired - 2 });
});

test('of two that wait, the one of higher priority goes first, though it came later', () => {
  const held = { need: 1, arrivals: burst(0, 1, 30) };
  const { functions } = shared(1, [
    held,
    { need: 1, priority: 1, arrivals: burst(5, 1) },
    { need: 1, priority: 2, arrivals: burst(10, 1) },
  ]);
  const [, low = Infinity, high = Infinity] = functions.map(({ requests: [first] }) => first?.begunAt);
  expect(high).toBeLessThan(low);
});

test('an idle pod of lower priority, kept warm, makes room for one that is called', () => {
  const { functions } = shared(1, [
    { need: 1, priority: -1, minReplicas: 1 },
    { need: 1, priority: 1, startSeconds: 5, arrivals: burst(60, 1) },
  ]);
  const [warm, called] = functions;
  expect(warm?.moments.find(({ at }) => at === 50)).toMatchObject({ ready: 1 });
  expect(warm?.moments.find(({ at }) => at === 64)).toMatchObject({ ready: 0, desired: 1, missing: 1 });
  expect(called?.requests[0]?.begunAt).toBeLessThan(68);
  // Once nobody calls the other one any more.
  expect(warm?.moments.at(-1)).toMatchObject({ ready: 1, missing: 0 });
});
