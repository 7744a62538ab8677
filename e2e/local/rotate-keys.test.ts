/**
 * A rotation of the signing key through two operators, a gateway, and another one that lags behind, all over real connections. Time is the test's, for a
 * rotation takes minutes; pods run no program, the test says for them what they were told to say.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { API_VERSION } from '../../common/api/names.ts';
import { createLogger } from '../../common/platform/logging.ts';
import type { ManualClock } from '../../common/platform/manual-clock.ts';
import { ANNOUNCEMENTS_PATH } from '../../common/wire/announcement.ts';
import { GATEWAY_DEFAULTS } from '../../gateway/configuration.ts';
import { startGateway, type Gateway } from '../../gateway/start-gateway.ts';
import { apply } from '../../operator/cluster/apply.ts';
import { seededRandom, testCluster, type TestCluster } from '../../operator/cluster/memory/test-cluster.ts';
import { MODEL_FUNCTIONS, PODS, SECRETS, type Secret } from '../../operator/cluster/resources.ts';
import {
  controlSecret,
  parseControlSecret,
  ROTATE_ANNOTATION,
} from '../../operator/credentials/control-secret-data.ts';
import { ControlSecret } from '../../operator/credentials/control-secret.ts';
import { TestGateway, type TestStream } from '../../operator/gateways/test-gateway.ts';
import { startOperator, type Operator } from '../../operator/operator.ts';
import { operatorConfiguration } from '../../operator/configuration-fixture.ts';
import { NAMESPACE } from './platform.ts';
import { sendRequest } from './request.ts';

const SYSTEM = 'pilotlight-system';
const SECRET = { namespace: SYSTEM, name: 'pilotlight-control' };
const HOST = '127.0.0.1';
const logger = createLogger('test', 'silent');
/** Turns of the event loop in which everything that was sent has come. */
const TURNS = 30;

let world: TestCluster;
let clock: ManualClock;
let gateway: Gateway;
let lagging: TestGateway;
let streams: { readonly stream: TestStream; sequence: number }[];
/** What the lagging gateway says that it has. */
let acknowledged: readonly string[];
let operators: Operator[];

beforeEach(async () => {
  world = testCluster();
  ({ clock } = world);
  operators = [];
  streams = [];
  const token = 't'.repeat(43);
  const signingKeys = [{ id: 'old', secret: randomBytes(32).toString('base64url') }] as const;
  acknowledged = ['old'];
  await world.cluster.create(SECRETS, controlSecret(SYSTEM, SECRET.name, { token, signingKeys }));
  gateway = await startGateway({
    configuration: {
      ...GATEWAY_DEFAULTS,
      name: 'gateway-0',
      controlToken: token,
      host: HOST,
      ports: { http: 0, external: 0, control: 0, metrics: 0 },
      drainMilliseconds: 0,
      finishMilliseconds: 0,
    },
    clock,
    random: Math.random,
    logger,
    registry: new Registry(),
  });
  lagging = await TestGateway.start();
});

afterEach(async () => {
  for (const operator of operators) await ending(operator.close());
  await ending(gateway.close());
  await lagging.close();
  await world.cluster.close();
});

/** Lets time go by for what needs time to end. */
async function ending(closed: Promise<void>): Promise<void> {
  const progress = { isDone: false };
  const done = closed.finally(() => (progress.isDone = true));
  while (!progress.isDone) {
    await clock.advance(100);
    await turns();
  }
  await done;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function operator(name: string): Promise<Operator> {
  const { cluster } = world;
  const random = seededRandom(operators.length + 1);
  const started = await startOperator({
    configuration: operatorConfiguration({
      name,
      namespace: SYSTEM,
      gateways: [{ id: 'gateway-0', host: HOST, controlPort: gateway.ports.control }, lagging.address('gateway-1')],
    }),
    credentials: new ControlSecret({ ...SECRET, cluster, rotationDays: 0, clock, random, randomBytes, logger }),
    cluster,
    clock,
    random,
    logger,
    registry: new Registry(),
  });
  operators.push(started);
  streams.push({ stream: (await lagging.stream()).hello(), sequence: 0 });
  await seconds(1);
  return started;
}

/** Time goes by, with the gateways' heartbeats. */
async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    await clock.advance(1000);
    for (const one of streams) {
      one.stream.send({
        type: 'demand',
        bootId: 'boot',
        sequence: ++one.sequence,
        uptimeSeconds: clock.monotonic() / 1000,
        full: one.sequence === 1,
        revisions: [],
        announcements: [],
        keys: acknowledged,
      });
    }
    await turns();
  }
}

async function secret(): Promise<Secret> {
  const found = await world.cluster.get(SECRETS, SECRET);
  if (found === undefined) throw new Error('There is no Secret.');
  return found;
}

const keys = async (): Promise<string[]> => parseControlSecret(await secret()).signingKeys.map(({ id }) => id);

async function replicas(minReplicas: number): Promise<void> {
  const spec = { model: { uri: 'https://models/digits.onnx' }, scaling: { minReplicas } };
  const metadata = { namespace: NAMESPACE, name: 'digits' };
  await apply(world.cluster, MODEL_FUNCTIONS, {
    apiVersion: API_VERSION,
    kind: 'ModelFunction',
    metadata,
    spec,
  } as ModelFunction);
  await seconds(3);
}

/** The pod says to the gateway what it was told to say; gives the key that signed for it, and the gateway's answer. */
async function announce(pod: string): Promise<[string | undefined, number]> {
  const { environment, pod: object } = world.runner.pod(pod);
  const token = environment['PILOTLIGHT_ANNOUNCE_TOKEN'] ?? '';
  const { status } = await sendRequest(`http://${HOST}:${gateway.ports.control}${ANNOUNCEMENTS_PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({
      namespace: NAMESPACE,
      revision: 'digits-00001',
      pod,
      uid: object.metadata.uid,
      host: HOST,
      ports: { http: 1, control: 1 },
    }),
  });
  return [token.split('.')[0], status];
}

test('a rotation lets every pod in, through a gateway that lags behind and a change of leaders', async () => {
  const first = await operator('operator-0');
  await operator('operator-1');
  await replicas(1);
  expect(await announce('digits-00001-0')).toEqual(['old', 204]);

  const { metadata, ...rest } = await secret();
  await world.cluster.update(SECRETS, {
    ...rest,
    metadata: { ...metadata, annotations: { [ROTATE_ANNOTATION]: 'x' } },
  });
  await seconds(61);
  const [next = '', ...others] = await keys();
  expect(others).toEqual(['old']);
  expect(next).toMatch(/^[0-9a-f]{16}$/);

  // One of the gateways has not got it.
  await seconds(180);
  await replicas(2);
  expect(await announce('digits-00001-1')).toEqual(['old', 204]);
  expect(await announce('digits-00001-0')).toEqual(['old', 204]);

  // The leader goes, and the next one has both keys.
  operators.shift();
  streams.shift();
  await ending(first.close());
  await seconds(10);
  await replicas(3);
  expect(await announce('digits-00001-2')).toEqual(['old', 204]);
  acknowledged = ['old', next];
  await seconds(2);
  await replicas(4);
  expect(await announce('digits-00001-3')).toEqual([next, 204]);

  await seconds(300);
  expect(await keys()).toEqual([next, 'old']);
  for (const ordinal of [0, 1, 2]) {
    await world.cluster.delete(PODS, { namespace: NAMESPACE, name: `digits-00001-${ordinal}` });
    await seconds(3);
  }
  await seconds(61);
  expect(await keys()).toEqual([next]);
  for (const { metadata: pod } of await world.cluster.list(PODS)) {
    expect(await announce(pod.name)).toEqual([next, 204]);
  }
}, 60_000);

test('a list that was replaced makes the former key worth nothing within a minute', async () => {
  await operator('operator-0');
  await operator('operator-1');
  await replicas(1);
  expect(await announce('digits-00001-0')).toEqual(['old', 204]);
  const before = await secret();
  const { token } = parseControlSecret(before);
  const signingKeys = [{ id: 'mine', secret: randomBytes(32).toString('base64url') }] as const;
  const { data = {} } = controlSecret(SYSTEM, SECRET.name, { token, signingKeys });
  await world.cluster.update(SECRETS, { ...before, data });
  await seconds(61);
  expect(await announce('digits-00001-0')).toEqual(['old', 403]);
  await replicas(2);
  expect(await announce('digits-00001-1')).toEqual(['mine', 204]);
  expect(await keys()).toEqual(['mine']);
}, 60_000);
