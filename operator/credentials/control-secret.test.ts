import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import type { ClusterCall } from '../cluster/memory/faults.ts';
import { testCluster, type TestCluster } from '../cluster/memory/test-cluster.ts';
import { ClusterError } from '../cluster/port.ts';
import { SECRETS, type Secret } from '../cluster/resources.ts';
import { controlSecret, parseControlSecret } from './control-secret-data.ts';
import { ControlSecret } from './control-secret.ts';

const KEY = { namespace: 'pilotlight-system', name: 'pilotlight-control' };

let world: TestCluster;
let refuse: (call: ClusterCall) => ClusterError | undefined;

beforeEach(() => {
  refuse = () => undefined;
  world = testCluster({ faults: { call: (call) => refuse(call) } });
});

afterEach(() => world.cluster.close());

/** Each replica with random bytes of its own: all the given one. */
function replica(byte: number): ControlSecret {
  const { cluster, clock } = world;
  return new ControlSecret({
    ...KEY,
    cluster,
    clock,
    rotationDays: 0,
    random: () => 0.5,
    randomBytes: (count) => Buffer.alloc(count, byte),
    logger: createLogger('test', 'silent'),
  });
}

const stored = (): Promise<Secret | undefined> => world.cluster.get(SECRETS, KEY);

describe('the control Secret', () => {
  test('is made where there is none, with the labels of the product', async () => {
    const { credentials } = await replica(1).open();
    expect(credentials).toEqual({
      token: Buffer.alloc(32, 1).toString('base64url'),
      signingKeys: [
        {
          id: '0101010101010101',
          secret: Buffer.alloc(32, 1).toString('base64url'),
          createdAt: new Date(world.clock.now()).toISOString(),
        },
      ],
    });
    const secret = await stored();
    expect(secret?.metadata.labels).toEqual({
      'app.kubernetes.io/name': 'pilotlight',
      'app.kubernetes.io/part-of': 'pilotlight',
      'app.kubernetes.io/managed-by': 'pilotlight-operator',
    });
    expect(secret && parseControlSecret(secret)).toEqual(credentials);
  });

  test('that somebody made before is used as it is', async () => {
    const made = { token: 't'.repeat(32), signingKeys: [{ id: 'mine', secret: 's'.repeat(32) }] as const };
    const before = await world.cluster.create(SECRETS, {
      ...controlSecret(KEY.namespace, KEY.name, made),
      metadata: KEY,
    });
    expect(await replica(1).open()).toEqual({ credentials: made, secret: before });
    expect(await stored()).toEqual(before);
  });

  test('is one, whoever wins the race for it', async () => {
    const opening = [1, 2, 3].map((byte) => replica(byte).open());
    for (let turn = 0; turn < 3; turn++) await world.clock.advance(100);
    const [first, ...others] = await Promise.all(opening);
    expect(first?.secret).toEqual(await stored());
    expect(first && parseControlSecret(first.secret)).toEqual(first?.credentials);
    expect(others).toEqual([first, first]);
  });

  test('is waited for while the API server is away', async () => {
    refuse = () => new ClusterError('Unavailable', 'connect ECONNREFUSED');
    let opened = false;
    const opening = replica(1)
      .open()
      .then(() => (opened = true));
    await world.clock.advance(60_000);
    expect(opened).toBe(false);
    refuse = () => undefined;
    await world.clock.advance(30_000);
    await opening;
    expect(await stored()).toBeDefined();
    expect(world.clock.pending).toBe(0);
  });

  test('is not waited for when the API server says that it is forbidden', async () => {
    refuse = () => new ClusterError('Forbidden', 'secrets "pilotlight-control" is forbidden', { status: 403 });
    await expect(replica(1).open()).rejects.toThrow('is forbidden');
  });

  test('that is half ends the start', async () => {
    const { secret } = await replica(1).open();
    const { 'signing-keys': keys = '' } = secret.data ?? {};
    await world.cluster.update(SECRETS, { ...secret, data: { 'signing-keys': keys } });
    await expect(replica(2).open()).rejects.toThrow(
      'Secret pilotlight-system/pilotlight-control has no token: it must hold 32 to 256',
    );
  });
});
