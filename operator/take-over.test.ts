import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { ModelFunction } from '../common/api/kinds.ts';
import type { Clock } from '../common/platform/clock.ts';
import { createLogger } from '../common/platform/logging.ts';
import { ManualClock } from '../common/platform/manual-clock.ts';
import type { Announcement } from '../common/wire/announcement.ts';
import type { RoutesUpdate } from '../common/wire/routes.ts';
import { seededRandom, testCluster, type TestCluster } from './cluster/memory/test-cluster.ts';
import { ClusterError, type Cluster } from './cluster/port.ts';
import { LEASES, MODEL_FUNCTIONS, PODS, type Pod } from './cluster/resources.ts';
import { TestGateway, type TestStream } from './gateways/test-gateway.ts';
import { startOperator, type Operator } from './operator.ts';
import { operatorConfiguration } from './configuration-fixture.ts';

const NAMESPACE = 'models';
const REVISION = 'digits-00001';
const digits = {
  apiVersion: 'pilotlight.dev/v1alpha1',
  kind: 'ModelFunction',
  metadata: { namespace: NAMESPACE, name: 'digits' },
  spec: {
    model: { uri: 'https://models/digits.onnx' },
    scaling: { target: 1, maxReplicas: 3, stableWindowSeconds: 6 },
  },
} as unknown as ModelFunction;

/** An operator's process: a clock, a way to the API server and a stream of its own. */
class Replica {
  readonly name: string;
  readonly clock: ManualClock;
  /** What it tried to write, but for the Lease. */
  readonly writes: string[] = [];
  /** The API server does not answer it, and its watches see nothing. */
  cut = false;
  /** Answers to its writes come only after this. */
  answers: Promise<void> = Promise.resolve();
  crashed = false;
  /** Stopped, as by SIGSTOP: nothing of it runs, and what comes for it waits. */
  stopped = false;
  /** Milliseconds that its clock went on by while it stood still. */
  #stalled = 0;
  #stoppedAt = 0;
  readonly #waiting: (() => void)[] = [];
  operator: Operator | undefined;
  stream: TestStream | undefined;
  sequence = 0;
  /** Uids of pods that the gateway told it of: each is announced once to a stream. */
  readonly announced = new Set<string>();

  constructor(name: string, clock: ManualClock) {
    this.name = name;
    this.clock = clock;
  }

  get routes(): RoutesUpdate[] {
    return (this.stream?.received ?? []).filter((message) => message.type === 'routes');
  }

  /** Its wall clock is off by `skew`. */
  time(skew: number): Clock {
    return {
      now: () => this.clock.now() + this.#stalled + skew,
      monotonic: () => this.clock.monotonic() + this.#stalled,
      after: (milliseconds, callback) => this.clock.after(milliseconds, callback),
    };
  }

  stop(now: number): void {
    this.stopped = true;
    this.#stoppedAt = now;
  }

  /** What waited comes before any timer does: a process that wakes has no order of its own. */
  async wake(now: number): Promise<void> {
    this.stopped = false;
    this.#stalled += now - this.#stoppedAt;
    for (const deliver of this.#waiting.splice(0)) deliver();
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  reach(cluster: Cluster): Cluster {
    const read = async <T>(call: () => Promise<T>): Promise<T> => {
      if (this.cut) throw new ClusterError('Unavailable', 'No route to host');
      return call();
    };
    const write = async <T>(verb: string, kind: string, call: () => Promise<T>): Promise<T> => {
      if (kind === LEASES.kind) return read(call);
      this.writes.push(`${verb} ${kind}`);
      const answer = await read(call);
      await this.answers;
      return answer;
    };
    return {
      get: (resource, key) => read(() => cluster.get(resource, key)),
      list: (resource, scope) => read(() => cluster.list(resource, scope)),
      watch: (resource, scope, onEvent, signal) =>
        cluster.watch(
          resource,
          scope,
          (event) => {
            if (this.stopped) this.#waiting.push(() => onEvent(event));
            else if (!this.cut) onEvent(event);
          },
          signal,
        ),
      create: (resource, object) => write('create', resource.kind, () => cluster.create(resource, object)),
      update: (resource, object) => write('update', resource.kind, () => cluster.update(resource, object)),
      patchStatus: (resource, key, status) =>
        write('patchStatus', resource.kind, () => cluster.patchStatus(resource, key, status)),
      scale: (resource, key, replicas) => write('scale', resource.kind, () => cluster.scale(resource, key, replicas)),
      delete: (resource, key, options) => write('delete', resource.kind, () => cluster.delete(resource, key, options)),
    };
  }
}

let world: TestCluster;
let gateway: TestGateway;
let replicas: Replica[];
/** What the gateway has for the revision. */
let present: { inFlight: number; requestSeconds: number };

beforeEach(async () => {
  world = testCluster();
  gateway = await TestGateway.start();
  replicas = [];
  present = { inFlight: 0, requestSeconds: 0 };
});

afterEach(async () => {
  for (const replica of replicas) {
    await replica.operator?.close();
    expect(replica.clock.pending).toBe(0);
  }
  await gateway.close();
  await world.cluster.close();
});

/** Also the gateway's stream to it is there, and was told nothing but hello. */
async function start(name: string, skew = 0): Promise<Replica> {
  const clock = new ManualClock();
  await clock.advance(world.clock.monotonic());
  const replica = new Replica(name, clock);
  replicas.push(replica);
  replica.operator = await startOperator({
    cluster: replica.reach(world.cluster),
    clock: replica.time(skew),
    random: seededRandom(replicas.length),
    logger: createLogger('test', 'silent'),
    registry: new Registry(),
    credentials: { token: 'control', signingKeys: [{ id: 'k', secret: 'c2VjcmV0' }] },
    configuration: operatorConfiguration({ name, gateways: [gateway.address()] }),
  });
  replica.stream = (await gateway.stream()).hello();
  beat(replica, await readyPods());
  return replica;
}

function beat(replica: Replica, all: readonly Announcement[]): void {
  const announcements = all.filter(({ uid }) => !replica.announced.has(uid));
  for (const { uid } of announcements) replica.announced.add(uid);
  replica.stream?.send({
    type: 'demand',
    bootId: 'boot',
    sequence: ++replica.sequence,
    uptimeSeconds: world.clock.monotonic() / 1000,
    full: replica.sequence === 1,
    revisions: [{ namespace: NAMESPACE, revision: REVISION, requests: 0, queued: 0, ...present }],
    announcements,
  });
}

async function pods(): Promise<Pod[]> {
  return (await world.cluster.list(PODS)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function readyPods(): Promise<Announcement[]> {
  return (await pods()).map(({ metadata }, at) => ({
    namespace: NAMESPACE,
    revision: REVISION,
    pod: metadata.name,
    uid: metadata.uid ?? '',
    host: '127.0.0.1',
    ports: { http: 4000 + at, control: 5000 + at },
  }));
}

/** Seconds go by for all who live, with the gateway's heartbeat in each. */
async function walk(seconds: number): Promise<void> {
  const living = replicas.filter(({ crashed, stopped }) => !crashed && !stopped);
  for (let tenth = 1; tenth <= seconds * 10; tenth++) {
    await world.clock.advance(100);
    for (const { clock } of living) await clock.advance(100);
    if (tenth % 10 > 0) continue;
    present.requestSeconds += present.inFlight;
    const announced = await readyPods();
    for (const replica of living) beat(replica, announced);
    // The network needs turns of the event loop, and no time of the clocks.
    for (let turn = 0; turn < 5; turn++) await world.settle();
  }
}

async function walkUntil(satisfied: () => boolean | Promise<boolean>): Promise<number> {
  const began = world.clock.monotonic();
  while (!(await satisfied())) await walk(1);
  return (world.clock.monotonic() - began) / 1000;
}

function podsInRoutes({ routes }: Replica): number {
  const revisions = routes.at(-1)?.functions[0]?.revisions ?? [];
  return revisions.flatMap((revision) => revision.pods.filter(({ ports }) => ports.http > 0)).length;
}

/** The first leads, with three busy pods; the second follows. */
async function pair(skew = 0): Promise<{ leader: Replica; follower: Replica }> {
  await world.cluster.create(MODEL_FUNCTIONS, digits);
  const leader = await start('operator-0');
  const follower = await start('operator-1', skew);
  present.inFlight = 3;
  await walkUntil(() => podsInRoutes(leader) === 3);
  // Longer than an announcement is kept of a pod that nobody looks at.
  await walk(70);
  return { leader, follower };
}

const uids = async (): Promise<(string | undefined)[]> => (await pods()).map(({ metadata }) => metadata.uid);

async function get({ operator }: Replica, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${operator?.healthPort ?? 0}${path}`);
  return response.text();
}

function crash(replica: Replica): void {
  replica.crashed = true;
  replica.cut = true;
  replica.stream?.cut();
}

test('a follower watches, writes nothing, sends no routes, and is ready', async () => {
  const { leader, follower } = await pair();
  expect(leader.writes).toContain('create Pod');
  expect(follower.writes).toEqual([]);
  expect(follower.routes).toEqual([]);
  expect(await get(follower, '/readyz')).toBe('ok\n');
  const text = await get(follower, '/metrics');
  expect(text).toContain('pilotlight_operator_leader 0');
  expect(text).not.toContain('pilotlight_desired_replicas{');
});

test('a follower takes over from one that crashed, with every pod as it is', async () => {
  const { leader, follower } = await pair();
  const before = await uids();
  crash(leader);
  expect(await walkUntil(() => follower.routes.length > 0)).toBeLessThanOrEqual(6);
  const [first] = follower.routes;
  expect(first).toMatchObject({ full: true, sequence: 1 });
  expect(first?.epoch).toBeGreaterThan(leader.routes.at(-1)?.epoch ?? Infinity);
  expect(first?.functions[0]?.revisions[0]?.pods).toHaveLength(3);
  await walk(30);
  expect(await uids()).toEqual(before);
  expect(world.runner.started.flatMap(({ signals }) => signals)).toEqual([]);
  expect(follower.writes).not.toContain('delete Pod');
});

test('a follower takes over from one that ends at once, and acts from then on', async () => {
  const { leader, follower } = await pair();
  const before = await uids();
  await leader.operator?.close();
  leader.crashed = true;
  expect(await walkUntil(() => follower.routes.length > 0)).toBeLessThanOrEqual(1);
  await walk(20);
  expect(await uids()).toEqual(before);
  present.inFlight = 0;
  // Those that are asked to drain are not there, and are deleted after some attempts.
  await walkUntil(() => follower.writes.includes('delete Pod'));
});

test('a leader that the API server does not answer stops, lets another lead, and leads again after it', async () => {
  const { leader, follower } = await pair();
  const before = await uids();
  expect(await get(leader, '/metrics')).toContain('pilotlight_desired_replicas{');
  leader.cut = true;
  await walk(3);
  expect(await get(leader, '/metrics')).not.toContain('pilotlight_desired_replicas{');
  const attempts = leader.writes.length;
  const updates = leader.routes.length;
  await walkUntil(() => follower.routes.length > 0);
  present.inFlight = 30;
  await walk(5);
  present.inFlight = 3;
  leader.cut = false;
  await walk(10);
  expect(leader.writes).toHaveLength(attempts);
  expect(leader.routes).toHaveLength(updates);

  crash(follower);
  await walkUntil(() => leader.routes.length > updates);
  expect(leader.routes.at(-1)).toMatchObject({ full: true });
  expect(leader.routes.at(-1)?.epoch).toBeGreaterThan(follower.routes.at(-1)?.epoch ?? Infinity);
  await walk(20);
  expect(await uids()).toEqual(before);
  present.inFlight = 0;
  await walkUntil(() => leader.writes.length > attempts);
});

test('operators that are cut off for ten minutes let everything be, and then one acts by the demand of that moment', async () => {
  const { leader, follower } = await pair();
  const before = await uids();
  const updates = leader.routes.length;
  for (const replica of replicas) {
    replica.cut = true;
    replica.writes.length = 0;
  }
  await walk(300);
  // Nobody calls any more; nobody can make that so.
  present.inFlight = 0;
  await walk(300);
  expect(await uids()).toEqual(before);
  expect(world.runner.started.flatMap(({ signals }) => signals)).toEqual([]);
  expect(replicas.map(({ writes }) => writes.length)).toEqual([0, 0]);
  expect([leader.routes.length, follower.routes.length]).toEqual([updates, 0]);
  for (const replica of replicas) expect(await get(replica, '/metrics')).toContain('pilotlight_operator_leader 0');

  for (const replica of replicas) replica.cut = false;
  const led = await walkUntil(() => leader.routes.length + follower.routes.length > updates);
  expect(led).toBeLessThanOrEqual(6);
  await walkUntil(async () => (await pods()).length === 0);
  await walk(10);
  const [idle, acting] = replicas.map(({ writes }) => [...writes].sort()).sort((a, b) => a.length - b.length);
  expect(idle).toEqual([]);
  expect(acting?.filter((write) => write === 'delete Pod')).toHaveLength(3);
  expect(acting?.length).toBeLessThan(20);
});

test('a former leader does not go on with what it was doing when its lead ended', async () => {
  const leader = await start('operator-0');
  const follower = await start('operator-1');
  await walk(1);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  leader.answers = promise.then(() => undefined);
  await world.cluster.create(MODEL_FUNCTIONS, digits);
  await walk(1);
  // Each is in the midst of what it does.
  const begun = [...leader.writes];
  expect(begun).toEqual(['create ModelRevision', 'create Pod']);
  leader.cut = true;
  await walkUntil(() => follower.writes.length > 0);
  leader.cut = false;
  resolve(undefined);
  await walk(2);
  expect(leader.writes).toEqual(begun);
});

test('a leader that stood still past its Lease writes nothing when it goes on, though it does not know yet', async () => {
  const { leader, follower } = await pair();
  leader.stop(world.clock.monotonic());
  const attempts = leader.writes.length;
  await walkUntil(() => follower.routes.length > 0);
  // There is something to do, for both of them.
  const [lost] = await pods();
  await world.cluster.delete(PODS, { namespace: NAMESPACE, name: lost?.metadata.name ?? '' });
  await walk(3);
  const before = await uids();
  expect(before).toHaveLength(3);
  expect(before).not.toContain(lost?.metadata.uid);

  await leader.wake(world.clock.monotonic());
  expect(leader.writes).toHaveLength(attempts);
  await walk(20);
  expect(leader.writes).toHaveLength(attempts);
  expect(await uids()).toEqual(before);
  const [stale, fresh] = [leader, follower].map(({ routes }) => Math.max(...routes.map(({ epoch }) => epoch)));
  expect(stale).toBeLessThan(fresh ?? 0);
  expect(await get(leader, '/metrics')).toContain('pilotlight_operator_leader 0');
  expect(await get(follower, '/metrics')).toContain('pilotlight_operator_leader 1');
});

test.each([-600_000, 600_000])('a follower whose clock is %i ms off takes over as any other', async (skew) => {
  const { leader, follower } = await pair(skew);
  const before = await uids();
  crash(leader);
  expect(await walkUntil(() => follower.routes.length > 0)).toBeLessThanOrEqual(6);
  await walk(60);
  expect(await uids()).toEqual(before);
  expect(follower.writes).not.toContain('delete Pod');
});
