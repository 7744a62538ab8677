import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { ClusterCall } from '../cluster/memory/faults.ts';
import { seededRandom, testCluster, type TestCluster } from '../cluster/memory/test-cluster.ts';
import { ClusterError } from '../cluster/port.ts';
import { LEASES, type Lease } from '../cluster/resources.ts';
import { LeaderMetrics } from './leader-metrics.ts';
import { LeaseElector, type LeaseElectorOptions } from './lease-elector.ts';

const NAMESPACE = 'pilotlight-system';
const KEY = { namespace: NAMESPACE, name: 'pilotlight-operator' };

type Network = 'Good' | 'Refuses' | 'Hangs' | 'LosesAnswers';

/** One process with a clock and a way to the API server of its own. */
class Replica {
  readonly clock: ManualClock;
  readonly registry = new Registry();
  readonly turns: string[] = [];
  readonly warnings: string[] = [];
  network: Network = 'Good';
  /** It is gone, with all its timers. */
  crashed = false;
  /** Milliseconds by which its timers are late. */
  stalled = 0;
  readonly elector: LeaseElector;

  constructor(world: World, identity: string, skew: number) {
    this.clock = new ManualClock(Date.UTC(2026, 0, 1) + skew);
    const { clock } = this;
    this.elector = new LeaseElector({
      cluster: this.#reach(world.cluster),
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic() + this.stalled,
        after: (milliseconds, callback) => clock.after(milliseconds, callback),
      },
      random: world.random,
      namespace: NAMESPACE,
      identity,
      metrics: new LeaderMetrics(this.registry),
      logger: createLogger('test', 'warn', (line) => this.warnings.push(line)),
      onStartedLeading: () => {
        this.turns.push('started');
        world.check();
      },
      onStoppedLeading: () => this.turns.push('stopped'),
    });
    this.elector.start();
  }

  get leads(): boolean {
    return !this.crashed && this.elector.leads;
  }

  #reach(cluster: TestCluster['cluster']): LeaseElectorOptions['cluster'] {
    const call = async <T>(answer: () => Promise<T>): Promise<T> => {
      if (this.network === 'Refuses') throw new ClusterError('Unavailable', 'No route to host');
      if (this.crashed || this.network === 'Hangs') return new Promise(() => undefined);
      const result = await answer();
      return this.network === 'LosesAnswers' ? new Promise(() => undefined) : result;
    };
    return {
      get: (resource, key) => call(() => cluster.get(resource, key)),
      create: (resource, object) => call(() => cluster.create(resource, object)),
      update: (resource, object) => call(() => cluster.update(resource, object)),
    };
  }
}

/** Replicas on one cluster; their clocks go at the same pace. */
class World {
  refuse: (call: ClusterCall) => ClusterError | undefined = () => undefined;
  readonly cluster = testCluster({ faults: { call: (call) => this.refuse(call) } }).cluster;
  readonly random: () => number;
  readonly replicas: Replica[] = [];
  #started = 0;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  start(skew = 0): Replica {
    const replica = new Replica(this, `operator-${this.#started++}`, skew);
    this.replicas.push(replica);
    return replica;
  }

  get leaders(): Replica[] {
    return this.replicas.filter(({ leads }) => leads);
  }

  check(): void {
    expect(this.leaders.length).toBeLessThanOrEqual(1);
  }

  async walk(milliseconds: number): Promise<void> {
    for (let walked = 0; walked < milliseconds; walked += 100) {
      for (const { clock, crashed } of this.replicas) if (!crashed) await clock.advance(100);
      this.check();
    }
  }

  /** Milliseconds until the replica leads. */
  async untilLeads(replica: Replica, limit = 60_000): Promise<number> {
    let walked = 0;
    for (; !replica.leads && walked < limit; walked += 100) await this.walk(100);
    return walked;
  }

  async lease(): Promise<Lease['spec']> {
    return (await this.cluster.get(LEASES, KEY))?.spec;
  }

  /** A second process has to know the way out, too. */
  async close(): Promise<void> {
    for (const replica of this.replicas) {
      if (replica.crashed) continue;
      replica.network = 'Good';
      const closing = replica.elector.close();
      for (let turn = 0; turn < 30; turn++) await replica.clock.advance(100);
      await closing;
      expect(replica.clock.pending).toBe(0);
    }
    await this.cluster.close();
  }
}

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.close());

async function pair(skew = 0): Promise<{ leader: Replica; follower: Replica }> {
  const leader = world.start();
  await leader.clock.advance(0);
  const follower = world.start(skew);
  await world.walk(2000);
  expect(world.leaders).toEqual([leader]);
  return { leader, follower };
}

describe('a replica', () => {
  test('leads at once where nobody holds the Lease', async () => {
    const replica = world.start();
    await replica.clock.advance(0);
    expect(replica.leads).toBe(true);
    expect(await world.lease()).toEqual({
      holderIdentity: 'operator-0',
      leaseDurationSeconds: 5,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 1,
    });
    expect(await replica.registry.metrics()).toContain('pilotlight_operator_leader 1');
  });

  test('leads on for as long as it renews', async () => {
    const { leader } = await pair();
    await world.walk(60_000);
    expect(leader.turns).toEqual(['started']);
    expect((await world.lease())?.leaseTransitions).toBe(1);
  });

  test('says once of each outage that it cannot reach the Lease', async () => {
    const { leader } = await pair();
    for (let outage = 1; outage <= 2; outage++) {
      leader.network = 'Refuses';
      await world.walk(30_000);
      leader.network = 'Good';
      await world.walk(10_000);
      expect(leader.warnings).toHaveLength(outage);
    }
  });

  test('that ends gives the Lease up, so the next one need not wait for its end', async () => {
    const { leader, follower } = await pair();
    await leader.elector.close();
    expect(leader.turns).toEqual(['started', 'stopped']);
    expect(await leader.registry.metrics()).toContain('pilotlight_operator_leader 0');
    expect(await world.lease()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 1 });
    expect(await world.untilLeads(follower)).toBeLessThanOrEqual(1000);
    expect(await follower.registry.metrics()).toContain('pilotlight_operator_leader_transitions_total 1');
    expect((await world.lease())?.leaseTransitions).toBe(2);
  });

  test.each([0, -3_600_000, 3_600_000])(
    'that crashed is followed after its 5 s, with clocks %d ms apart',
    async (skew) => {
      const { leader, follower } = await pair(skew);
      leader.crashed = true;
      const waited = await world.untilLeads(follower);
      expect(waited).toBeGreaterThan(3000);
      expect(waited).toBeLessThanOrEqual(6000);
    },
  );

  test.each(['Refuses', 'Hangs'] as const)(
    'that cannot renew, because the network %s, stops before another begins, and may lead again',
    async (network) => {
      const { leader, follower } = await pair();
      leader.network = network;
      await world.walk(3000);
      expect(leader.turns).toEqual(['started', 'stopped']);
      expect(follower.turns).toEqual([]);
      await world.untilLeads(follower);
      leader.network = 'Good';
      await world.walk(5000);
      expect(world.leaders).toEqual([follower]);
      await follower.elector.close();
      await world.untilLeads(leader);
      expect(leader.turns).toEqual(['started', 'stopped', 'started']);
    },
  );

  test('whose renewals arrive unanswered stops, and leads again with the Lease that is still its own', async () => {
    const { leader, follower } = await pair();
    leader.network = 'LosesAnswers';
    await world.walk(8000);
    expect(leader.leads).toBe(false);
    leader.network = 'Good';
    await world.walk(8000);
    expect(world.leaders).toHaveLength(1);
    expect([...leader.turns, ...follower.turns]).toContain('stopped');
  });

  test('outlives one renewal that hangs', async () => {
    const { leader } = await pair();
    leader.network = 'Hangs';
    await world.walk(1500);
    leader.network = 'Good';
    await world.walk(5000);
    expect(leader.turns).toEqual(['started']);
  });

  test('whose timers are late does not lead beyond its time', async () => {
    const { leader } = await pair();
    leader.stalled = 3000;
    expect(leader.elector.leads).toBe(false);
    await expect(leader.elector.claimEpoch(1)).rejects.toThrow('does not lead');
    await leader.clock.advance(0);
    leader.stalled = 0;
  });

  test('survives an API server that is away for all, and one of them leads afterwards', async () => {
    await pair();
    world.refuse = () => new ClusterError('Unavailable', 'Restarting');
    await world.walk(30_000);
    expect(world.leaders).toEqual([]);
    world.refuse = () => undefined;
    await world.walk(1200);
    expect(world.leaders).toHaveLength(1);
  });

  test('keeps the lead through a conflict', async () => {
    const { leader } = await pair();
    let conflicts = 1;
    world.refuse = ({ verb }) =>
      verb === 'update' && conflicts-- > 0 ? new ClusterError('Conflict', 'modified') : undefined;
    await world.walk(10_000);
    expect(conflicts).toBeLessThan(0);
    expect(leader.turns).toEqual(['started']);
  });

  test('keeps the lead, and its epochs, when somebody deletes the Lease', async () => {
    const { leader, follower } = await pair();
    const epoch = await leader.elector.claimEpoch(40);
    await world.walk(500);
    await world.cluster.delete(LEASES, KEY);
    await world.walk(10_000);
    expect(leader.turns).toEqual(['started']);
    expect(follower.turns).toEqual([]);
    expect((await world.lease())?.leaseTransitions).toBe(epoch);
  });

  test('stops when somebody gives the Lease to another', async () => {
    const { leader, follower } = await pair();
    const lease = await world.cluster.get(LEASES, KEY);
    if (lease === undefined) throw new Error('There is a Lease.');
    await world.cluster.update(LEASES, { ...lease, spec: { ...lease.spec, holderIdentity: 'operator-1' } });
    await leader.clock.advance(2000);
    expect(leader.turns).toEqual(['started', 'stopped']);
    expect(await world.untilLeads(follower)).toBeLessThanOrEqual(1000);
  });
});

describe('of several that begin at once', () => {
  test('exactly one leads', async () => {
    for (let count = 0; count < 4; count++) world.start();
    await world.walk(10_000);
    expect(world.leaders).toHaveLength(1);
    expect(world.replicas.flatMap(({ turns }) => turns)).toEqual(['started']);
  });
});

describe('an epoch', () => {
  test('is above every one before it and above what is asked for', async () => {
    const { leader, follower } = await pair();
    expect(await leader.elector.claimEpoch(1)).toBe(2);
    expect(await Promise.all([1, 1].map((atLeast) => leader.elector.claimEpoch(atLeast)))).toEqual([3, 4]);
    expect(await leader.elector.claimEpoch(40)).toBe(40);
    await world.walk(10_000);
    expect(leader.turns).toEqual(['started']);
    await leader.elector.close();
    await world.untilLeads(follower);
    expect((await world.lease())?.leaseTransitions).toBe(41);
    expect(await follower.elector.claimEpoch(1)).toBe(42);
  });

  test('is refused to who does not lead, and nothing is written', async () => {
    const { follower } = await pair();
    await expect(follower.elector.claimEpoch(9)).rejects.toThrow('operator-1 does not lead');
    expect((await world.lease())?.leaseTransitions).toBe(1);
  });

  test('is refused when the API server refuses, and the lead goes on', async () => {
    const { leader } = await pair();
    const refusal = new ClusterError('Forbidden', 'no leases for you');
    world.refuse = ({ verb }) => (verb === 'update' ? refusal : undefined);
    await expect(leader.elector.claimEpoch(1)).rejects.toBe(refusal);
    world.refuse = () => undefined;
    expect(await leader.elector.claimEpoch(1)).toBe(2);
    expect(leader.turns).toEqual(['started']);
  });
});

test('whatever happens, never do two lead, and one does when it is over', async () => {
  const networks: Network[] = ['Good', 'Refuses', 'Hangs', 'LosesAnswers'];
  const step = fc.record({
    at: fc.nat(2),
    what: fc.constantFrom<Network | 'Crash' | 'Close' | 'Claim' | 'Conflict'>(
      ...networks,
      'Crash',
      'Close',
      'Claim',
      'Conflict',
    ),
    then: fc.integer({ min: 1, max: 70 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), fc.array(step, { maxLength: 25 }), async (seed, steps) => {
      const random = new World(seed);
      const epochs: number[] = [];
      for (const skew of [0, 7_200_000, -50_000]) random.start(skew);
      for (const { at, what, then } of steps) {
        const replica = random.replicas[at];
        if (replica === undefined) throw new Error('There are three.');
        if (what === 'Crash' || what === 'Close') {
          if (what === 'Close') void replica.elector.close();
          else replica.crashed = true;
          const next = random.start(-at * 1000);
          // The new one in its place; the old one goes on until it has ended.
          random.replicas[at] = next;
          random.replicas.splice(-1, 1, replica);
        } else if (what === 'Claim') {
          replica.elector
            .claimEpoch(1)
            .then((epoch) => epochs.push(epoch))
            .catch(() => undefined);
        } else if (what === 'Conflict') {
          let conflicts = 2;
          random.refuse = ({ verb }) =>
            verb !== 'get' && conflicts-- > 0 ? new ClusterError('Conflict', 'modified') : undefined;
        } else replica.network = what;
        await random.walk(then * 100);
      }
      for (const replica of random.replicas) replica.network = 'Good';
      random.refuse = () => undefined;
      await random.walk(8000);
      expect(random.leaders).toHaveLength(1);
      expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
    }),
    { numRuns: 25, seed: 4 },
  );
});
