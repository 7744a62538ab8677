import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { FunctionRoute, RoutesUpdate } from '../../common/wire/routes.ts';
import type { OperatorMessage } from '../../common/wire/stream.ts';
import type { Cancel } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { DemandLedger, SILENCE_SECONDS } from './demand-ledger.ts';
import { GatewayFleet } from './gateway-fleet.ts';
import { TestGateway, type TestStream } from './test-gateway.ts';

const KEY = 'models/digits-00001';
const KEYS = [{ id: 'k1', secret: 'A'.repeat(43) }];

function route(name: string, timeoutSeconds = 60): FunctionRoute {
  return {
    namespace: 'models',
    name,
    visibility: 'Cluster',
    timeoutSeconds,
    concurrencyLimit: 0,
    queue: { maxRequests: 1000, maxBytes: 1_000_000, timeoutSeconds: 60 },
    traffic: [],
    revisions: [],
  };
}

function record(
  sequence: number,
  requestSeconds: number,
  inFlight: number,
  change: Partial<DemandRecord> = {},
): DemandRecord {
  return {
    type: 'demand',
    bootId: 'boot',
    sequence,
    uptimeSeconds: sequence,
    full: sequence === 1,
    revisions: [{ namespace: 'models', revision: 'digits-00001', requestSeconds, requests: 1, inFlight, queued: 0 }],
    announcements: [],
    ...change,
  };
}

const routesIn = (received: readonly OperatorMessage[]): RoutesUpdate[] =>
  received.filter((message) => message.type === 'routes');
const lastRoutes = (received: readonly OperatorMessage[]): RoutesUpdate | undefined => routesIn(received).at(-1);

/** Resolves when something becomes true that only the network can make true. */
async function eventually(satisfied: () => boolean): Promise<void> {
  while (!satisfied()) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that remembers how long the fleet waited before each new attempt. */
class FleetClock extends ManualClock {
  readonly retries: number[] = [];

  override after(milliseconds: number, callback: () => void): Cancel {
    if (milliseconds !== SILENCE_SECONDS * 1000) this.retries.push(milliseconds);
    return super.after(milliseconds, callback);
  }
}

/** Lets so many attempts fail, waiting after each for as long as the fleet wants to; the next one is taken. */
async function refuse(attempts: number, status: number): Promise<TestStream> {
  gateway.refuseWith = status;
  fleet.setGateways([gateway.address()]);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    await eventually(() => clock.retries.length === attempt);
    if (attempt === attempts) gateway.refuseWith = undefined;
    await clock.advance(clock.retries[attempt - 1] ?? 0);
  }
  return (await gateway.stream()).hello();
}

let clock: FleetClock;
let ledger: DemandLedger;
let fleet: GatewayFleet;
let gateway: TestGateway;
let other: TestGateway;
let claims: number[];
let claimEpoch: (atLeast: number) => Promise<number>;
let announced: { announcement: Announcement; gatewayId: string }[];

beforeEach(async () => {
  clock = new FleetClock();
  ledger = new DemandLedger(0);
  ledger.listen({ appeared: () => undefined, sample: () => undefined });
  claims = [];
  announced = [];
  claimEpoch = (atLeast) => Promise.resolve(Math.max(5, atLeast));
  gateway = await TestGateway.start();
  other = await TestGateway.start();
  fleet = new GatewayFleet({
    clock,
    random: () => 0,
    token: 'control',
    operator: 'operator-0',
    keys: KEYS,
    ledger,
    claimEpoch: (atLeast) => {
      claims.push(atLeast);
      return claimEpoch(atLeast);
    },
    onAnnouncement: (announcement, gatewayId) => announced.push({ announcement, gatewayId }),
    logger: createLogger('test', 'silent'),
  });
});

afterEach(async () => {
  fleet.close();
  expect(clock.pending).toBe(0);
  await gateway.close();
  await other.close();
});

async function connected(highestEpoch = 0): Promise<TestStream> {
  fleet.setGateways([gateway.address()]);
  const stream = await gateway.stream();
  return stream.hello(highestEpoch);
}

describe('a replica that does not lead', () => {
  test('sends its hello and the keys, with the control token, and no routes', async () => {
    fleet.publish(route('digits'));
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    fleet.publish(route('digits', 30));
    fleet.setKeys([...KEYS, { id: 'k2', secret: 'B'.repeat(43) }]);
    await stream.until((received) => received.length === 3);
    expect(stream.received).toMatchObject([
      { type: 'hello', operator: 'operator-0' },
      { type: 'keys', keys: KEYS },
      { type: 'keys', keys: [{ id: 'k1' }, { id: 'k2' }] },
    ]);
    expect(stream.request).toMatchObject({
      method: 'POST',
      url: '/v1/stream',
      headers: { authorization: 'Bearer control' },
    });
    expect(claims).toEqual([]);
  });

  test('reads demand and announcements', async () => {
    const stream = await connected();
    const announcement: Announcement = {
      namespace: 'models',
      revision: 'digits-00001',
      pod: 'digits-00001-0',
      uid: 'uid-1',
      host: '10.0.0.7',
      ports: { http: 8080, control: 9091 },
    };
    stream.send(record(1, 0, 3, { announcements: [announcement] }));
    await eventually(() => announced.length === 1);
    expect(announced).toEqual([{ announcement, gatewayId: 'a' }]);
    expect(ledger.demandOf(KEY).inFlight).toBe(3);
  });
});

describe('the control token', () => {
  const shown = (one: TestGateway): (string | undefined)[] =>
    one.requests.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));

  test('that is new is shown first, and the former one to a gateway that refuses it', async () => {
    const stream = await connected();
    fleet.setToken('next');
    other.refuseWith = 401;
    fleet.setGateways([gateway.address(), other.address('b')]);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await eventually(() => clock.retries.length === attempt);
      if (attempt === 3) other.refuseWith = undefined;
      await clock.advance(clock.retries[attempt - 1] ?? 0);
    }
    (await other.stream()).hello();
    expect(shown(other)).toEqual(['next', 'control', 'next', 'control']);
    expect(shown(gateway)).toEqual(['control']);

    // It serves on with the one that it was taken with.
    stream.send(record(1, 0, 3));
    await eventually(() => ledger.demandOf(KEY).inFlight === 3);
    stream.cut();
    await eventually(() => clock.retries.length === 4);
    await clock.advance(clock.retries[3] ?? 0);
    await gateway.requested(2);
    expect(shown(gateway)).toEqual(['control', 'next']);
  });
});

describe('keys', () => {
  const held = (): string[] => [...(fleet.heldKeys() ?? ['no gateway'])];

  test('are held by the fleet when every connected gateway says that it has them', async () => {
    expect(held()).toEqual(['no gateway']);
    const stream = await connected();
    stream.send(record(1, 0, 0, { keys: ['k1', 'k2'] }));
    await eventually(() => held().includes('k2'));
    fleet.setGateways([gateway.address(), other.address('b')]);
    expect(held()).toEqual(['k1', 'k2']);
    const behind = (await other.stream()).hello();
    await eventually(() => held().length === 0);
    behind.send(record(1, 0, 0, { keys: ['k1'] }));
    await eventually(() => held().length === 1);
    behind.send(record(2, 0, 0, { keys: ['k2', 'k1'] }));
    await eventually(() => held().length === 2);
    behind.cut();
    await eventually(() => clock.retries.length === 1);
    expect(held()).toEqual(['k1', 'k2']);
  });

  test('are taken to be held by an older gateway, which does not say, once it has spoken for 10 s after it got them', async () => {
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    let sequence = 0;
    const beat = async (): Promise<void> => {
      stream.send(record(++sequence, 0, 1));
      await eventually(() => ledger.demandOf(KEY).inFlight === 1);
      stream.send(record(++sequence, 0, 0));
      await eventually(() => ledger.demandOf(KEY).inFlight === 0);
    };
    await beat();
    for (let second = 0; second < 9; second++) {
      await clock.advance(1000);
      await beat();
    }
    expect(held()).toEqual([]);
    await clock.advance(1000);
    await beat();
    expect(held()).toEqual(['k1']);
    fleet.setKeys([...KEYS, { id: 'k2', secret: 'B'.repeat(43) }]);
    await beat();
    expect(held()).toEqual(['k1']);
  });
});

describe('routes', () => {
  test('begin with everything, then name changes only, and end with leadership', async () => {
    fleet.publish(route('digits'));
    fleet.publish(route('voice'));
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    fleet.lead();
    await stream.until((received) => routesIn(received).length === 1);
    fleet.publish(route('digits', 30));
    await stream.until((received) => routesIn(received).length === 2);
    fleet.remove({ namespace: 'models', name: 'voice' });
    await stream.until((received) => routesIn(received).length === 3);
    fleet.follow();
    fleet.publish(route('digits', 10));
    fleet.lead();
    await stream.until((received) => routesIn(received).length === 4);
    expect(routesIn(stream.received)).toMatchObject([
      { epoch: 5, sequence: 1, full: true, functions: [{ name: 'digits' }, { name: 'voice' }], removed: [] },
      { epoch: 5, sequence: 2, full: false, functions: [{ name: 'digits', timeoutSeconds: 30 }], removed: [] },
      { epoch: 5, sequence: 3, full: false, functions: [], removed: [{ namespace: 'models', name: 'voice' }] },
      { epoch: 5, sequence: 4, full: true, functions: [{ name: 'digits', timeoutSeconds: 10 }], removed: [] },
    ]);
  });

  test('go whole to a gateway that connects later, after the keys', async () => {
    fleet.publish(route('digits'));
    fleet.lead();
    const stream = await connected();
    await stream.until((received) => received.length === 3);
    expect(stream.received).toMatchObject([
      { type: 'hello' },
      { type: 'keys' },
      { type: 'routes', full: true, sequence: 1 },
    ]);
  });

  test('of one function merge while the gateway does not read', async () => {
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    fleet.lead();
    await stream.until((received) => routesIn(received).length === 1);
    stream.request.pause();
    const padding = 'x'.repeat(200_000);
    const failure = { reason: 'Failed', message: padding };
    const last = 300;
    for (let version = 1; version <= last; version++) {
      fleet.publish({ ...route('digits', version), revisions: [{ name: 'digits-00001', pods: [], failure }] });
    }
    stream.request.resume();
    await stream.until((received) => lastRoutes(received)?.functions[0]?.timeoutSeconds === last);
    const updates = routesIn(stream.received);
    expect(updates.length).toBeLessThan(20);
    expect(updates.map(({ sequence }) => sequence)).toEqual(updates.map((_, index) => index + 1));
  });
});

describe('the epoch', () => {
  test('is claimed above every one that a gateway reports, before routes are sent', async () => {
    fleet.publish(route('digits'));
    const stream = await connected(41);
    await stream.until((received) => received.length === 2);
    fleet.lead();
    await stream.until((received) => routesIn(received).length === 1);
    expect(claims).toEqual([42]);
    expect(lastRoutes(stream.received)).toMatchObject({ epoch: 42, full: true });
  });

  test('is raised again when a gateway connects that knows a higher one, and all get it', async () => {
    const first = await connected();
    await first.until((received) => received.length === 2);
    fleet.lead();
    await first.until((received) => routesIn(received).length === 1);
    fleet.setGateways([gateway.address(), other.address('b')]);
    const second = (await other.stream()).hello(70);
    await second.until((received) => routesIn(received).length === 1);
    // The one between says that there is a second gateway.
    await first.until((received) => routesIn(received).length === 3);
    expect(claims).toEqual([1, 71]);
    expect(lastRoutes(first.received)).toMatchObject({ epoch: 71, sequence: 3, full: true });
    expect(lastRoutes(second.received)).toMatchObject({ epoch: 71, sequence: 1, full: true });
  });

  test('is raised again when a gateway says on an open stream that it took a higher one', async () => {
    const stream = await connected();
    fleet.lead();
    await stream.until((received) => routesIn(received).length === 1);
    stream.hello(9);
    await stream.until((received) => routesIn(received).length === 2);
    expect(lastRoutes(stream.received)).toMatchObject({ epoch: 10, sequence: 2, full: true });
  });

  test('is asked for again after a refusal, until this replica follows', async () => {
    claimEpoch = () => Promise.reject(new Error('not the holder'));
    fleet.lead();
    await clock.advance(0);
    await clock.advance(2_500);
    expect(claims).toHaveLength(3);
    fleet.follow();
    await clock.advance(10_000);
    expect(claims).toHaveLength(3);
  });

  test('of a claim that is answered after leadership ended is not used', async () => {
    let answer: (epoch: number) => void = () => undefined;
    claimEpoch = () => new Promise((resolve) => (answer = resolve));
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    fleet.lead();
    fleet.follow();
    answer(7);
    fleet.setKeys(KEYS);
    await stream.until((received) => received.length === 3);
    expect(routesIn(stream.received)).toEqual([]);
  });
});

describe('a stream that breaks', () => {
  test('is opened again after a wait that doubles, and loses or doubles no demand', async () => {
    let total = 0;
    ledger.listen({ appeared: () => undefined, sample: (_, __, value) => (total += value) });
    await clock.advance(1000);
    let stream = await connected();
    stream.send(record(1, 2, 2));
    await eventually(() => ledger.demandOf(KEY).inFlight === 2);
    await clock.advance(1000);
    stream.send(record(2, 4, 2), record(2, 4, 2), record(1, 2, 2));
    await eventually(() => ledger.settle(2) === 1);
    stream.cut();
    await eventually(() => clock.retries.length === 1);
    await clock.advance(1000);
    stream = await gateway.stream();
    stream.hello().send(record(3, 6, 2, { full: true }));
    await eventually(() => ledger.settle(3) === 2);
    stream.send(record(2, 4, 9), record(3, 6, 9), record(4, 8, 3));
    await eventually(() => ledger.demandOf(KEY).inFlight === 3);
    await clock.advance(1000);
    expect(ledger.settle(4)).toBe(2);
    stream.send(record(5, 11, 0));
    await eventually(() => ledger.demandOf(KEY).inFlight === 0);
    await clock.advance(1000);
    ledger.settle(5);
    expect(total).toBeCloseTo(11);
  });

  test.each<{ name: string; say: (stream: TestStream) => unknown }>([
    { name: 'what is no JSON', say: (stream) => stream.hello().sendBytes('nonsense\n') },
    { name: 'a message of the wrong shape', say: (stream) => stream.hello().sendBytes('{"type":"demand"}\n') },
    { name: 'a record before its hello', say: (stream) => stream.send(record(1, 0, 0)) },
    { name: 'a record of another process', say: (stream) => stream.hello().send(record(1, 0, 0, { bootId: 'other' })) },
    { name: 'a hello of another process', say: (stream) => stream.hello().hello(0, 'other') },
    { name: 'a negative total', say: (stream) => stream.hello().send(record(1, -1, 0)) },
    {
      name: 'a line without an end',
      say: (stream) => stream.hello().sendBytes(Buffer.alloc(16 * 1024 * 1024 + 1, 'x')),
    },
  ])('is ended when the gateway sends $name, and opened again later', async ({ say }) => {
    fleet.setGateways([gateway.address()]);
    const stream = await gateway.stream();
    say(stream);
    await stream.closed;
    await eventually(() => clock.retries.length === 1);
    await clock.advance(50);
    await gateway.requested(2);
    expect(ledger.demandOf(KEY)).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('is ended after 3 s of silence, though the connection stands', async () => {
    const stream = await connected();
    stream.send(record(1, 1, 1));
    await eventually(() => ledger.demandOf(KEY).inFlight === 1);
    await clock.advance(2_999);
    expect(gateway.requests).toHaveLength(1);
    await clock.advance(1);
    await stream.closed;
    await clock.advance(50);
    await gateway.requested(2);
    expect(ledger.demandOf(KEY).inFlight).toBe(1);
  });

  test('waits longer after each refusal of its token, up to 5 s, and connects when it is taken', async () => {
    const stream = await refuse(8, 401);
    expect(clock.retries).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500]);
    await stream.until((received) => received.length === 2);
  });

  test('is opened again soon when it had lasted, however often it failed before', async () => {
    const stream = await refuse(5, 503);
    for (let sequence = 1; sequence <= 6; sequence++) {
      stream.send(record(sequence, 0, sequence));
      await eventually(() => ledger.demandOf(KEY).inFlight === sequence);
      await clock.advance(1000);
    }
    stream.cut();
    await eventually(() => clock.retries.length === 6);
    expect(clock.retries.at(-1)).toBe(50);
  });
});

describe('gateways that come and go', () => {
  test('sum, and one that is gone takes its demand with it', async () => {
    fleet.setGateways([gateway.address('a'), other.address('b')]);
    (await gateway.stream()).hello().send(record(1, 0, 2));
    (await other.stream()).hello(0, 'boot-b').send(record(1, 0, 5, { bootId: 'boot-b' }));
    await eventually(() => ledger.demandOf(KEY).inFlight === 7);
    fleet.setGateways([gateway.address('a')]);
    expect(ledger.demandOf(KEY).inFlight).toBe(2);
  });

  test('are left connected when the list names them again, and called anew at another place', async () => {
    const stream = await connected();
    await stream.until((received) => received.length === 2);
    fleet.setGateways([gateway.address()]);
    fleet.setGateways([other.address()]);
    await stream.closed;
    await other.stream();
    expect(gateway.requests).toHaveLength(1);
  });
});

test('every gateway learns which there are and which it is; one that the API doubts is not named', async () => {
  const peer = ({ id, host, controlPort }: { id: string; host: string; controlPort: number }): object => ({
    id,
    host,
    controlPort,
  });
  const [a, b] = [gateway.address('a'), other.address('b')];
  fleet.setGateways([b, a]);
  const streams = [(await gateway.stream()).hello(), (await other.stream()).hello()];
  fleet.lead();
  for (const [at, stream] of streams.entries()) {
    const received = await stream.until((all) => lastRoutes(all)?.full === true);
    expect(lastRoutes(received)?.gateways).toEqual({ self: 'ab'[at], all: [peer(a), peer(b)] });
  }
  fleet.setGateways([a, { ...b, doubtful: true }]);
  for (const [at, stream] of streams.entries()) {
    const received = await stream.until((all) => lastRoutes(all)?.full === false);
    expect(lastRoutes(received)).toMatchObject({ functions: [], gateways: { self: 'ab'[at], all: [peer(a)] } });
  }
});
