import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { allocate, type Allocation, type BudgetInUse, type Claim } from './allocate.ts';
import { bounds } from './budget.ts';

const GPU = 'nvidia.com/gpu';

function claim(key: string, own: Partial<Claim> = {}): Claim {
  const claimed: Omit<Claim, 'busy' | 'waitingSince' | 'standing'> = {
    key,
    namespace: 'a',
    priority: 0,
    needs: { [GPU]: 1 },
    wanted: 1,
    living: 0,
    terminating: 0,
  };
  return { ...claimed, busy: 0, standing: 'Called', waitingSince: 0, ...own };
}

/** Everything that holds anything is among the claims. */
function inUse(
  claims: readonly Claim[],
  limit: number,
  { namespace, resource = GPU }: { namespace?: string; resource?: string } = {},
): BudgetInUse {
  const budget = { resource, namespace, limit };
  const held = claims
    .filter((each) => bounds(budget, each.namespace, each.needs))
    .reduce((sum, each) => sum + (each.living + each.terminating) * (each.needs[resource] ?? 0), 0);
  return { ...budget, held };
}

const running = (key: string, own: Partial<Claim> = {}): Claim => claim(key, { living: 1, ...own });
const busy = (key: string, own: Partial<Claim> = {}): Claim => running(key, { busy: own.living ?? 1, ...own });

interface Case {
  readonly claims: readonly Claim[];
  readonly limit?: number;
  readonly ofNamespace?: number;
  readonly granted: Record<string, number>;
  /** Place, and of how many. */
  readonly waiting?: Record<string, string>;
}

const CASES: Record<string, Case> = {
  'what fits is granted': { claims: [claim('x', { wanted: 2 })], granted: { x: 2 } },
  'the higher priority comes first, however long the other waited': {
    claims: [claim('old', { waitingSince: 1 }), claim('high', { priority: 1, waitingSince: 9 })],
    limit: 1,
    granted: { high: 1, old: 0 },
    waiting: { old: '1/1' },
  },
  'of equals, the one that waited longest': {
    claims: [claim('late', { waitingSince: 2 }), claim('early', { waitingSince: 1 })],
    limit: 1,
    granted: { early: 1, late: 0 },
    waiting: { late: '1/1' },
  },
  'equals get one replica in turn': {
    claims: [claim('early', { wanted: 9 }), claim('late', { wanted: 9, waitingSince: 1 })],
    limit: 5,
    granted: { early: 3, late: 2 },
    waiting: { early: '1/2', late: '2/2' },
  },
  'an idle replica of a lower priority is given up, and granted only when it is gone': {
    claims: [running('low'), claim('high', { priority: 1 })],
    limit: 1,
    granted: { low: 0, high: 0 },
    waiting: { high: '1/2', low: '2/2' },
  },
  'what terminates holds its share, and nothing more is given up for whoever waits for it': {
    claims: [running('low'), claim('going', { wanted: 0, terminating: 1 }), claim('high', { priority: 1 })],
    limit: 2,
    granted: { low: 1, high: 0, going: 0 },
    waiting: { high: '1/1' },
  },
  'what was given up is not given back while the other waits': {
    claims: [
      claim('low', { waitingSince: 0 }),
      claim('high', { priority: 1, waitingSince: 9, wanted: 2 }),
      busy('other'),
    ],
    limit: 2,
    granted: { high: 1, low: 0, other: 1 },
    waiting: { high: '1/2', low: '2/2' },
  },
  'a busy one of a lower priority stays': {
    claims: [busy('low'), claim('high', { priority: 1 })],
    limit: 1,
    granted: { low: 1, high: 0 },
    waiting: { high: '1/1' },
  },
  'of an equal, an idle one stays as long as its window has seen a request': {
    claims: [running('warm'), claim('called')],
    limit: 1,
    granted: { warm: 1, called: 0 },
    waiting: { called: '1/1' },
  },
  'of an equal that nobody called for a whole window, the idle one goes to one that is called': {
    claims: [running('kept', { standing: 'KeptWarm' }), claim('called')],
    limit: 1,
    granted: { kept: 0, called: 0 },
    waiting: { called: '1/2', kept: '2/2' },
  },
  'a new one does not take from an equal, and comes before one that is kept warm': {
    claims: [
      running('kept', { standing: 'KeptWarm', wanted: 2 }),
      claim('new', { standing: 'Other', waitingSince: 9 }),
    ],
    limit: 1,
    granted: { kept: 1, new: 0 },
    waiting: { new: '1/2', kept: '2/2' },
  },
  'nothing is given up where that is not enough': {
    claims: [running('low'), busy('busy'), claim('high', { priority: 1, needs: { [GPU]: 2 } })],
    limit: 2,
    granted: { low: 1, busy: 1, high: 0 },
    waiting: { high: '1/1' },
  },
  'the lowest priority gives up first, and no more than is needed': {
    claims: [running('low', { priority: -1 }), running('mid'), claim('high', { priority: 1 })],
    limit: 2,
    granted: { low: 0, mid: 1, high: 0 },
    waiting: { high: '1/2', low: '2/2' },
  },
  'a large one that is enough spares the small ones before it': {
    claims: [
      running('small', { priority: -2 }),
      running('large', { priority: -1, needs: { [GPU]: 4 } }),
      claim('high', { needs: { [GPU]: 4 } }),
    ],
    limit: 5,
    granted: { small: 1, large: 0, high: 0 },
    waiting: { high: '1/2', large: '2/2' },
  },
  'nobody passes a large one that waits in front': {
    claims: [busy('busy'), claim('large', { needs: { [GPU]: 2 } }), claim('small', { waitingSince: 1 })],
    limit: 2,
    granted: { busy: 1, large: 0, small: 0 },
    waiting: { large: '1/2', small: '2/2' },
  },
  'one that can never fit keeps nobody waiting': {
    claims: [claim('huge', { needs: { [GPU]: 8 }, priority: 9 }), claim('small')],
    limit: 2,
    granted: { huge: 0, small: 1 },
    waiting: { huge: '1/1' },
  },
  'one whose namespace is full keeps nothing of the cluster': {
    claims: [busy('x'), claim('y', { priority: 9 }), claim('z', { namespace: 'b' })],
    limit: 2,
    ofNamespace: 1,
    granted: { x: 1, y: 0, z: 1 },
    waiting: { y: '1/1' },
  },
  'within a namespace that is full, its own lower one gives up': {
    claims: [running('x'), running('other', { namespace: 'b', priority: -9 }), claim('y', { priority: 9 })],
    limit: 9,
    ofNamespace: 1,
    granted: { x: 0, y: 0, other: 1 },
    waiting: { y: '1/2', x: '2/2' },
  },
  'under a limit that was lowered, idle ones go, the lowest first, and busy ones stay': {
    claims: [
      running('low', { priority: -1 }),
      running('high', { priority: 1 }),
      busy('busy', { priority: -2, living: 2, wanted: 2 }),
    ],
    limit: 2,
    granted: { low: 0, high: 0, busy: 2 },
  },
  'a limit of 0 ends what is idle': {
    claims: [running('x', { wanted: 3 })],
    limit: 0,
    granted: { x: 0 },
    waiting: { x: '1/1' },
  },
  'what it does not want itself is not given to it': {
    claims: [running('x', { wanted: 1, living: 3 }), claim('y', { wanted: 2 })],
    limit: 3,
    granted: { x: 1, y: 0 },
    waiting: { y: '1/1' },
  },
};

describe('allocate', () => {
  test.each(Object.entries(CASES))('%s', (_name, { claims, limit = 10, ofNamespace, granted, waiting }) => {
    const budgets = [inUse(claims, limit)];
    if (ofNamespace !== undefined) budgets.push(inUse(claims, ofNamespace, { namespace: 'a' }));
    const got = allocate(claims, budgets);
    expect(Object.fromEntries([...got].map(([key, each]) => [key, each.granted]))).toEqual(granted);
    if (waiting === undefined) return;
    const places = [...got].filter(([, each]) => each.waiting !== undefined);
    expect(Object.fromEntries(places.map(([key, each]) => [key, placeOf(each)]))).toEqual(waiting);
  });

  test('it is said what is needed, and of what', () => {
    const claims = [busy('x', { living: 2 }), claim('y', { wanted: 3 })];
    const budget = inUse(claims, 2);
    expect(allocate(claims, [budget]).get('y')?.waiting).toEqual({
      budget,
      need: 1,
      missing: 3,
      position: 1,
      waiting: 1,
    });
  });

  test('a revision is bounded by each resource that it needs', () => {
    const needs = { [GPU]: 1, 'example.com/card': 2 };
    const claims = [claim('x', { needs, wanted: 5 })];
    const budgets = [inUse(claims, 9), inUse(claims, 5, { resource: 'example.com/card' })];
    expect(allocate(claims, budgets).get('x')).toMatchObject({ granted: 2, waiting: { need: 2, missing: 3 } });
  });
});

function placeOf({ waiting }: Allocation): string {
  return `${waiting?.position}/${waiting?.waiting}`;
}

const claimsOf = (largest: number): fc.Arbitrary<Claim[]> =>
  fc
    .array(
      fc.record({
        namespace: fc.constantFrom('a', 'b'),
        priority: fc.integer({ min: -1, max: 1 }),
        need: fc.integer({ min: 1, max: largest }),
        wanted: fc.integer({ min: 0, max: 4 }),
        living: fc.integer({ min: 0, max: 3 }),
        terminating: fc.integer({ min: 0, max: 1 }),
        busy: fc.integer({ min: 0, max: 3 }),
        standing: fc.constantFrom('Called' as const, 'Other' as const, 'KeptWarm' as const),
        waitingSince: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 7 },
    )
    .map((all) =>
      all.map(({ need, busy: requests, ...own }, at) =>
        claim(`f${at}`, { ...own, needs: { [GPU]: need }, busy: Math.min(requests, own.living) }),
      ),
    );

const worlds = (largest = 3): fc.Arbitrary<{ claims: Claim[]; budgets: BudgetInUse[] }> =>
  fc
    .tuple(claimsOf(largest), fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 9 }))
    .map(([claims, limit, ofNamespace]) => ({
      claims,
      budgets: [inUse(claims, limit), inUse(claims, ofNamespace, { namespace: 'a' })],
    }));

const unitsOf = (budget: BudgetInUse, each: Claim, replicas: number): number =>
  bounds(budget, each.namespace, each.needs) ? replicas * (each.needs[GPU] ?? 0) : 0;

describe('whatever is claimed', () => {
  test('what is granted anew fits beside all that exists', () => {
    fc.assert(
      fc.property(worlds(), ({ claims, budgets }) => {
        const got = allocate(claims, budgets);
        for (const budget of budgets) {
          const added = claims.map((each) =>
            unitsOf(budget, each, Math.max(0, got.get(each.key)!.granted - each.living)),
          );
          const sum = added.reduce((total, units) => total + units, 0);
          if (sum > 0) expect(budget.held + sum).toBeLessThanOrEqual(budget.limit);
        }
      }),
    );
  });

  test('no grant is above what is wanted, or below what is busy of it', () => {
    fc.assert(
      fc.property(worlds(), ({ claims, budgets }) => {
        const got = allocate(claims, budgets);
        for (const each of claims) {
          const { granted, waiting } = got.get(each.key)!;
          expect(granted).toBeLessThanOrEqual(each.wanted);
          expect(granted).toBeGreaterThanOrEqual(Math.min(each.busy, each.wanted));
          expect(waiting !== undefined).toBe(granted < each.wanted);
        }
      }),
    );
  });

  test('the order in which claims and budgets are given changes nothing', () => {
    fc.assert(
      fc.property(
        worlds().chain((world) =>
          fc.record({
            world: fc.constant(world),
            claims: fc.shuffledSubarray(world.claims, { minLength: world.claims.length }),
          }),
        ),
        ({ world: { claims, budgets }, claims: shuffled }) => {
          const sorted = (all: Map<string, Allocation>): unknown => [...all].sort(([a], [b]) => (a < b ? -1 : 1));
          expect(sorted(allocate(shuffled, budgets))).toEqual(sorted(allocate(claims, budgets)));
        },
      ),
    );
  });

  test('the first in a line waits for room that is not there', () => {
    fc.assert(
      fc.property(worlds(), ({ claims, budgets }) => {
        const got = allocate(claims, budgets);
        for (const each of claims) {
          const { waiting } = got.get(each.key)!;
          if (waiting?.position !== 1) continue;
          const { budget, need } = waiting;
          const added = claims.map((one) => unitsOf(budget, one, Math.max(0, got.get(one.key)!.granted - one.living)));
          const free = budget.limit - budget.held - added.reduce((total, units) => total + units, 0);
          const kept = keptForOthers(each, waiting, claims, got);
          if (kept === 0) expect(need).toBeGreaterThan(free);
        }
      }),
    );
  });

  test('where each replica needs one unit, nothing is left over while somebody waits', () => {
    fc.assert(
      fc.property(claimsOf(1), fc.integer({ min: 1, max: 16 }), (claims, limit) => {
        const budget = inUse(claims, limit);
        const got = allocate(claims, [budget]);
        const grown = claims.reduce((sum, each) => sum + Math.max(0, got.get(each.key)!.granted - each.living), 0);
        const isWaiting = [...got.values()].some(({ waiting }) => waiting !== undefined);
        const left = budget.limit - budget.held - grown;
        // What is on its way is kept for those in front, and what is free is theirs first.
        if (isWaiting) expect(left).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('no idle replica of a lower priority stays while a higher one waits that it would be enough for', () => {
    fc.assert(
      fc.property(claimsOf(1), fc.integer({ min: 1, max: 16 }), (claims, limit) => {
        const got = allocate(claims, [inUse(claims, limit)]);
        const going = claims.reduce((sum, each) => sum + each.terminating, 0);
        const givenUp = claims.reduce((sum, each) => sum + Math.max(0, each.living - got.get(each.key)!.granted), 0);
        for (const high of claims) {
          const missing = got.get(high.key)!.waiting?.missing ?? 0;
          if (missing <= going + givenUp) continue;
          for (const low of claims) {
            if (low.priority < high.priority) expect(got.get(low.key)!.granted).toBeLessThanOrEqual(low.busy);
          }
        }
      }),
    );
  });
});

/** Units of the budget that those before it in other lines keep. */
function keptForOthers(
  each: Claim,
  { budget }: NonNullable<Allocation['waiting']>,
  claims: readonly Claim[],
  got: Map<string, Allocation>,
): number {
  return claims
    .filter((other) => other.key !== each.key && got.get(other.key)!.waiting !== undefined)
    .reduce((sum, other) => sum + unitsOf(budget, other, 1), 0);
}

/** Functions that are called now and then, each for a number of rounds, on too few GPUs. */
const calls = fc.array(
  fc.record({
    need: fc.integer({ min: 1, max: 3 }),
    wanted: fc.integer({ min: 1, max: 3 }),
    takes: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 2, maxLength: 8 },
);

test('of equals that are called without end none waits for ever, whatever each needs', () => {
  fc.assert(
    fc.property(calls, (functions) => {
      // Each replica works its rounds, ends, and is wanted again at once.
      const state = functions.map((each, at) => ({
        ...each,
        key: `f${at}`,
        left: [] as number[],
        since: 0,
        waited: 0,
      }));
      // Twice what all others do in one turn.
      const bound = 2 * functions.reduce((sum, { wanted, takes }) => sum + wanted * takes, 0) + 8;
      let longest = 0;
      for (let round = 1; round <= 2 * bound; round++) {
        for (const each of state) each.left = each.left.map((rounds) => rounds - 1).filter((rounds) => rounds > 0);
        const claims = state.map(({ key, need, wanted, left, since }) =>
          claim(key, { needs: { [GPU]: need }, wanted, living: left.length, busy: left.length, waitingSince: since }),
        );
        const got = allocate(claims, [inUse(claims, 3)]);
        for (const each of state) {
          const added = got.get(each.key)!.granted - each.left.length;
          each.waited = each.left.length + added > 0 ? 0 : each.waited + 1;
          longest = Math.max(longest, each.waited);
          if (added > 0) each.since = round;
          each.left.push(...Array.from({ length: added }, () => each.takes));
        }
      }
      expect(longest).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 50 },
  );
});
