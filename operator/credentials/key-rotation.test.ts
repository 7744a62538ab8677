import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createLogger } from '../../common/platform/logging.ts';
import type { ClusterCall } from '../cluster/memory/faults.ts';
import { testCluster, type TestCluster } from '../cluster/memory/test-cluster.ts';
import { ClusterError } from '../cluster/port.ts';
import { SECRETS, type Secret } from '../cluster/resources.ts';
import type { SigningKeys } from './control-credentials.ts';
import { controlSecret, parseControlSecret, ROTATE_ANNOTATION } from './control-secret-data.ts';
import { ControlSecret } from './control-secret.ts';
import { KeyRotation } from './key-rotation.ts';

const KEY = { namespace: 'pilotlight-system', name: 'pilotlight-control' };

let world: TestCluster;
let refuse: (call: ClusterCall) => ClusterError | undefined;
/** The API server does not answer. */
let hangs: boolean;
/** Those that run. */
let replicas: Replica[];
let leader: Replica | undefined;
/** Of the gateway: what each operator that is connected sent it last. */
let ring: Map<Replica, readonly string[]>;
/** A gateway that does not get what is sent. */
let lags: boolean;
/** Pods by the key of their tokens. */
let pods: Map<string, number>;
let made: number;

beforeEach(() => {
  refuse = () => undefined;
  hangs = false;
  world = testCluster({ faults: { call: (call) => refuse(call) } });
  replicas = [];
  leader = undefined;
  ring = new Map();
  lags = false;
  pods = new Map();
  made = 0;
});

afterEach(async () => {
  for (const replica of replicas) await replica.rotation.close();
  await world.cluster.close();
  expect(world.clock.pending).toBe(0);
});

class Replica {
  readonly registry = new Registry();
  readonly rotation: KeyRotation;
  keys: SigningKeys;
  readonly tokens: string[] = [];

  private constructor(secret: ControlSecret, opened: Awaited<ReturnType<ControlSecret['open']>>) {
    this.keys = opened.credentials.signingKeys;
    this.rotation = new KeyRotation({
      secret,
      opened,
      clock: world.clock,
      random: () => 0,
      held: () => (ring.size === 0 ? undefined : new Set([...ring.values()].flat())),
      podsByKey: () => pods,
      leads: () => leader === this,
      onToken: (token) => this.tokens.push(token),
      onKeys: (keys) => {
        this.keys = keys;
        this.send();
      },
      registry: this.registry,
      logger: createLogger('test', 'silent'),
    });
    this.rotation.start();
  }

  static async start(rotationDays = 0): Promise<Replica> {
    const { cluster, clock } = world;
    const secret = new ControlSecret({
      ...KEY,
      cluster: {
        get: (...asked) => (hangs ? new Promise(() => undefined) : cluster.get(...asked)),
        create: (...asked) => cluster.create(...asked),
        update: (...asked) => cluster.update(...asked),
      },
      rotationDays,
      clock,
      random: () => 0,
      randomBytes: (count) => Buffer.alloc(count, ++made),
      logger: createLogger('test', 'silent'),
    });
    const replica = new Replica(secret, await secret.open());
    replicas.push(replica);
    leader ??= replica;
    replica.send();
    return replica;
  }

  send(): void {
    if (!lags) ring.set(this, idsOf(this.keys));
  }

  get signs(): string {
    return this.rotation.signer().id;
  }
}

const idsOf = (keys: SigningKeys): string[] => keys.map(({ id }) => id);

async function secret(): Promise<Secret> {
  const found = await world.cluster.get(SECRETS, KEY);
  if (found === undefined) throw new Error('There is no Secret.');
  return found;
}

const ids = async (): Promise<string[]> => idsOf(parseControlSecret(await secret()).signingKeys);

async function ask(value: string): Promise<void> {
  const { metadata, ...rest } = await secret();
  const annotations = { ...metadata.annotations, [ROTATE_ANNOTATION]: value };
  await world.cluster.update(SECRETS, { ...rest, metadata: { ...metadata, annotations } });
}

async function minutes(count: number): Promise<void> {
  for (let second = 0; second < 60 * count; second++) await world.clock.advance(1000);
}

/** The leader is gone, with its streams; the next one leads. */
async function crash(): Promise<void> {
  const [gone, ...others] = replicas;
  if (gone === undefined) return;
  await gone.rotation.close();
  ring.delete(gone);
  replicas = others;
  leader = others[0];
  leader?.rotation.lead();
  await world.clock.advance(0);
}

/** Asks for a new key; gives its id once it is in the list. */
async function added(): Promise<string> {
  const before = await ids();
  await ask(`ask ${before.length}`);
  await minutes(1);
  const [newest = '', ...others] = await ids();
  expect(others).toEqual(before);
  return newest;
}

describe('a rotation', () => {
  test('signs with the new key when every gateway has it, and lets the old one go when no pod names it', async () => {
    const replica = await Replica.start();
    const [old = ''] = await ids();
    pods.set(old, 3);
    lags = true;
    const next = await added();
    await minutes(5);
    expect(replica.signs).toBe(old);
    lags = false;
    replica.send();
    expect(replica.signs).toBe(next);

    pods.set(old, 1).set(next, 2);
    await minutes(10);
    expect(await ids()).toEqual([next, old]);
    pods.delete(old);
    await minutes(1);
    expect(await ids()).toEqual([next]);
    expect(idsOf(replica.keys)).toEqual([next]);
    expect(ring.get(replica)).toEqual([next]);
  });

  test('is asked for by a new value of the annotation, once', async () => {
    await Replica.start();
    await ask('2026-01-01');
    await minutes(3);
    expect(await ids()).toHaveLength(2);
    const { annotations } = (await secret()).metadata;
    expect(annotations).toEqual({
      'pilotlight.dev/rotate-signing-key': '2026-01-01',
      'pilotlight.dev/rotated-signing-key': '2026-01-01',
    });
    pods.set('other', 1);
    await minutes(5);
    const [last] = await ids();
    expect(await ids()).toEqual([last]);
    await ask('2026-01-02');
    await minutes(1);
    expect(await ids()).toHaveLength(2);
  });

  test('comes by itself when the key is old, counted from when it was made', async () => {
    await Replica.start(2);
    const [old] = await ids();
    await minutes(2 * 24 * 60 - 2);
    expect(await ids()).toEqual([old]);
    await minutes(3);
    const [newest, ...rest] = await ids();
    expect(rest).toEqual([old]);
    await minutes(10);
    expect(await ids()).toEqual([newest]);
  });

  test('is done by the leader alone, and followers hand the keys on', async () => {
    const one = await Replica.start(1);
    const other = await Replica.start(1);
    const [old] = await ids();
    leader = undefined;
    await ask('now');
    await minutes(3);
    expect(await ids()).toEqual([old]);
    leader = other;
    await minutes(2);
    const [next, ...rest] = await ids();
    expect(rest).toEqual([old]);
    expect(idsOf(one.keys)[0]).toBe(next);
    expect(ring.get(one)?.[0]).toBe(next);
  });

  test('survives a change of leaders in the middle: the gateway has every key that a pod was signed with', async () => {
    const first = await Replica.start();
    const second = await Replica.start();
    const [old = ''] = await ids();
    pods.set(old, 1);
    const next = await added();
    const accepted = (): boolean => [...ring.values()].flat().includes(leader?.signs ?? '');
    // The gateway had the new key at once, but only from the leader; whoever dies now takes it along.
    expect(first.signs).toBe(old);
    for (let second = 0; second < 180; second++) {
      await world.clock.advance(1000);
      expect(accepted()).toBe(true);
    }
    expect(first.signs).toBe(next);
    pods.set(next, 1);
    await crash();
    expect(replicas).toEqual([second]);
    expect(second.signs).toBe(next);
    expect(accepted()).toBe(true);
    expect(await ids()).toEqual([next, old]);
    pods.delete(old);
    await minutes(4);
    expect(await ids()).toEqual([next]);
  });

  test('that a successor ends waits for pods that its predecessor may have begun at the last moment', async () => {
    await Replica.start();
    await Replica.start();
    const [old = ''] = await ids();
    pods.set(old, 1);
    const next = await added();
    await minutes(5);
    pods.delete(old);
    await crash();
    await minutes(1);
    expect(await ids()).toEqual([next, old]);
    await minutes(2);
    expect(await ids()).toEqual([next]);
  });

  test('a leader that dies before others read the new key leaves none that signs with it', async () => {
    const first = await Replica.start();
    await minutes(0.5);
    const second = await Replica.start();
    await ask('now');
    await minutes(0.5);
    expect(idsOf(first.keys)).toHaveLength(2);
    expect(idsOf(second.keys)).toHaveLength(1);
    expect(first.signs).toBe(second.signs);
    await crash();
    // It reads as soon as it leads.
    expect(idsOf(second.keys)).toEqual(await ids());
    expect(second.signs).toBe((await ids())[1]);
  });
});

describe('the Secret', () => {
  test('that gets another control token tells every replica of it, once', async () => {
    await Replica.start();
    await Replica.start();
    const before = await secret();
    const token = 'n'.repeat(43);
    const data = { ...before.data, token: Buffer.from(token).toString('base64') };
    await world.cluster.update(SECRETS, { ...before, data });
    await minutes(3);
    expect(replicas.map(({ tokens }) => tokens)).toEqual([[token], [token]]);
    await world.cluster.delete(SECRETS, KEY);
    await minutes(1);
    expect((await secret()).data).toEqual(data);
  });

  test('that somebody put a key into by hand is rotated to it', async () => {
    const replica = await Replica.start();
    const { token, signingKeys } = parseControlSecret(await secret());
    const mine = { id: 'mine', secret: 'm'.repeat(43) };
    const { data = {} } = controlSecret(KEY.namespace, KEY.name, { token, signingKeys: [mine, ...signingKeys] });
    await world.cluster.update(SECRETS, { ...(await secret()), data });
    pods.set(signingKeys[0].id, 1);
    await minutes(1);
    expect(replica.signs).toBe(signingKeys[0].id);
    await minutes(2);
    expect(replica.signs).toBe('mine');
    pods.clear();
    await minutes(3);
    expect(await ids()).toEqual(['mine']);
  });

  test("that is somebody else's is followed and never written", async () => {
    const [old, mine] = [
      { id: 'old', secret: 'o'.repeat(43) },
      { id: 'mine', secret: 'm'.repeat(43) },
    ];
    const token = 't'.repeat(43);
    const theirs = (...signingKeys: SigningKeys): Secret => ({
      ...controlSecret(KEY.namespace, KEY.name, { token, signingKeys }),
      metadata: KEY,
    });
    const { metadata } = await world.cluster.create(SECRETS, theirs(old));
    const replica = await Replica.start(1);
    await ask('now');
    await minutes(2 * 24 * 60);
    expect(await ids()).toEqual(['old']);
    const { resourceVersion = '' } = (await secret()).metadata;
    await world.cluster.update(SECRETS, { ...theirs(mine, old), metadata: { ...metadata, resourceVersion } });
    await minutes(5);
    expect(replica.signs).toBe('mine');
    expect(await ids()).toEqual(['mine', 'old']);
  });

  test('that becomes unusable, or cannot be read, changes nothing', async () => {
    const replica = await Replica.start();
    const before = await secret();
    await world.cluster.update(SECRETS, { ...before, data: { token: 'aHVzaA==' } });
    await minutes(3);
    expect(replica.signs).toBe(idsOf(replica.keys)[0]);
    expect((await secret()).data).toEqual({ token: 'aHVzaA==' });
    refuse = () => new ClusterError('Unavailable', 'connect ECONNREFUSED');
    await minutes(3);
    refuse = () => undefined;
    await world.cluster.update(SECRETS, { ...(await secret()), data: before.data ?? {} });
    await minutes(1);
    await added();
  });

  test('that the API server does not give keeps no replica from ending', async () => {
    const replica = await Replica.start();
    hangs = true;
    await minutes(1);
    const closed = replica.rotation.close();
    await world.clock.advance(5_000);
    await closed;
  });

  test('that was deleted is made again with what is in use', async () => {
    await Replica.start();
    const follower = await Replica.start();
    const { data } = await secret();
    await world.cluster.delete(SECRETS, KEY);
    await minutes(1);
    const again = await secret();
    expect(parseControlSecret(again)).toEqual(parseControlSecret({ ...again, data: data ?? {} }));
    expect(idsOf(follower.keys)).toEqual(await ids());
  });
});

test('metrics tell how old the key is that signs, and which keys pods have', async () => {
  const replica = await Replica.start();
  const [old = ''] = await ids();
  pods.set(old, 2).set('gone', 1).set('forged', 1);
  const next = await added();
  const metrics = await replica.registry.metrics();
  const created = parseControlSecret(await secret()).signingKeys[1]?.createdAt ?? '';
  expect(metrics).toContain(`pilotlight_signing_key_created_timestamp_seconds ${Date.parse(created) / 1000}`);
  expect(metrics).toContain(`pilotlight_signing_key_pods{key="${old}"} 2`);
  expect(metrics).toContain(`pilotlight_signing_key_pods{key="${next}"} 0`);
  expect(metrics).toContain('pilotlight_signing_key_pods{key="other"} 2');
});
