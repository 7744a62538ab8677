import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { ModelFunction } from '../common/api/kinds.ts';
import { createLogger } from '../common/platform/logging.ts';
import type { Announcement } from '../common/wire/announcement.ts';
import type { DemandRecord } from '../common/wire/demand.ts';
import type { RoutesUpdate } from '../common/wire/routes.ts';
import type { OperatorMessage } from '../common/wire/stream.ts';
import { seededRandom, testCluster, type TestCluster } from './cluster/memory/test-cluster.ts';
import { ClusterError } from './cluster/port.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, NETWORK_POLICIES, PODS, SERVICES, type Pod } from './cluster/resources.ts';
import type { OperatorConfiguration } from './configuration.ts';
import { TestGateway, type TestStream } from './gateways/test-gateway.ts';
import { startOperator, type Operator } from './operator.ts';
import { operatorConfiguration } from './configuration-fixture.ts';

const NAMESPACE = 'pilotlight-system';
const key = { namespace: 'models', name: 'digits' };
const digits = {
  apiVersion: 'pilotlight.dev/v1alpha1',
  kind: 'ModelFunction',
  metadata: key,
  spec: { model: { uri: 'https://models/digits.onnx' } },
} as unknown as ModelFunction;

let world: TestCluster;
let gateway: TestGateway;
let operator: Operator | undefined;
let stale: string | undefined;

beforeEach(async () => {
  world = testCluster();
  stale = undefined;
  gateway = await TestGateway.start();
});

afterEach(async () => {
  await operator?.close();
  operator = undefined;
  await gateway.close();
  await world.cluster.close();
  expect(world.clock.pending).toBe(0);
});

async function start(configuration: Partial<OperatorConfiguration> = {}, cluster = world.cluster): Promise<Operator> {
  const { clock } = world;
  operator = await startOperator({
    cluster,
    clock,
    random: seededRandom(3),
    logger: createLogger('test', 'silent'),
    registry: new Registry(),
    stale: () => stale,
    credentials: { token: 'control', signingKeys: [{ id: 'k', secret: 'c2VjcmV0' }] },
    configuration: operatorConfiguration({ gateways: [gateway.address()], ...configuration }),
  });
  return operator;
}

const routesIn = (received: readonly OperatorMessage[]): RoutesUpdate[] =>
  received.filter((message) => message.type === 'routes');

async function demand(stream: TestStream, sequence: number, more: Partial<DemandRecord>): Promise<void> {
  const uptimeSeconds = world.clock.monotonic() / 1000;
  stream.send({
    type: 'demand',
    bootId: 'boot',
    sequence,
    uptimeSeconds,
    full: sequence === 1,
    revisions: [],
    announcements: [],
    ...more,
  });
  await world.settle();
}

/** Resolves with what is there once it is; only the network can keep it waiting. */
async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    await world.settle();
  }
}

const pod = (name: string): Promise<Pod | undefined> => world.cluster.get(PODS, { namespace: 'models', name });

/** Makes the pod of a gateway if there is none, and says what the API says of its readiness. */
async function gatewayPod(
  name: string,
  at: TestGateway,
  ready: 'True' | 'False' = 'True',
  product = 'pilotlight',
): Promise<void> {
  const { host, controlPort } = at.address();
  if ((await world.cluster.get(PODS, { namespace: NAMESPACE, name })) === undefined) {
    await world.cluster.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: NAMESPACE,
        labels: { 'app.kubernetes.io/name': product, 'app.kubernetes.io/component': 'gateway' },
      },
      spec: {
        containers: [{ name: 'gateway', image: 'gateway:1', ports: [{ name: 'control', containerPort: controlPort }] }],
      },
    });
    await world.settle();
  }
  const status = { podIP: host, conditions: [{ type: 'Ready', status: ready }] };
  await world.cluster.patchStatus(PODS, { namespace: NAMESPACE, name }, status);
}

describe('an operator', () => {
  test('streams routes under its epoch, turns demand into pods and announcements into routes', async () => {
    await world.cluster.create(MODEL_FUNCTIONS, digits);
    await start();
    const stream = (await gateway.stream()).hello(7);
    await demand(stream, 1, {});
    const [first] = routesIn(await stream.until((received) => routesIn(received).length > 0));
    expect(first).toMatchObject({ epoch: 8, sequence: 1, full: true });

    const created = await eventually(() => pod('digits-00001-0'));
    expect(created.spec.containers[0]?.env).toContainEqual({
      name: 'PILOTLIGHT_GATEWAYS',
      value: `${gateway.address().host}:${gateway.address().controlPort}`,
    });
    const announcement: Announcement = {
      namespace: 'models',
      revision: 'digits-00001',
      pod: 'digits-00001-0',
      uid: created.metadata.uid ?? '',
      host: '127.0.0.1',
      ports: { http: 1234, control: 1235 },
    };
    await demand(stream, 2, { announcements: [announcement] });
    await stream.until((received) =>
      routesIn(received).some(({ functions }) => functions[0]?.revisions[0]?.pods[0]?.ports.http === 1234),
    );
    const { status } = await eventually(async () => {
      const fn = await world.cluster.get(MODEL_FUNCTIONS, key);
      return fn?.status?.replicas === 1 ? fn : undefined;
    });
    expect(status).toMatchObject({ url: 'http://digits.models', latestReadyRevision: 'digits-00001' });
  });

  test('wakes a revision for demand that a gateway has', async () => {
    await world.cluster.create(MODEL_FUNCTIONS, digits);
    await start();
    const stream = (await gateway.stream()).hello();
    await demand(stream, 1, {});
    await eventually(() => pod('digits-00001-0'));
    const some = {
      namespace: 'models',
      revision: 'digits-00001',
      requestSeconds: 30,
      requests: 20,
      inFlight: 0,
      queued: 20,
    };
    await demand(stream, 2, { revisions: [some] });
    await eventually(async () => {
      await world.clock.advance(500);
      const revision = await world.cluster.get(MODEL_REVISIONS, { namespace: 'models', name: 'digits-00001' });
      return (revision?.spec.replicas ?? 0) > 1 ? revision : undefined;
    });
  });

  test('finds gateways by their pods', async () => {
    await start({ gateways: undefined });
    await gatewayPod('gateway-0', gateway);
    await world.settle();
    expect((await gateway.stream()).request.headers.authorization).toBe('Bearer control');
  });

  test('takes no other product’s gateway for one of its own', async () => {
    const other = await TestGateway.start();
    try {
      await gatewayPod('other-0', other, 'True', 'other');
      await gatewayPod('gateway-0', gateway);
      await world.cluster.create(MODEL_FUNCTIONS, digits);
      await start({ gateways: undefined });
      await demand((await gateway.stream()).hello(), 1, {});
      const { spec } = await eventually(() => pod('digits-00001-0'));
      const { host, controlPort } = gateway.address();
      expect(spec.containers[0]?.env).toContainEqual({ name: 'PILOTLIGHT_GATEWAYS', value: `${host}:${controlPort}` });
    } finally {
      await other.close();
    }
  });

  test('keeps what a silent gateway had, until its pod is marked as that of a lost node', async () => {
    const other = await TestGateway.start();
    try {
      await gatewayPod('gateway-0', gateway);
      await gatewayPod('gateway-1', other);
      const spec = { ...digits.spec, scaling: { stableWindowSeconds: 6, maxReplicas: 1 } };
      await world.cluster.create(MODEL_FUNCTIONS, { ...digits, spec } as unknown as ModelFunction);
      await start({ gateways: undefined });
      const [stream, heard] = [(await gateway.stream()).hello(), (await other.stream()).hello(0, 'other')];
      await demand(stream, 1, {});
      const { metadata } = await eventually(() => pod('digits-00001-0'));
      const announcement: Announcement = {
        namespace: 'models',
        revision: 'digits-00001',
        pod: 'digits-00001-0',
        uid: metadata.uid ?? '',
        host: '127.0.0.1',
        ports: { http: 1234, control: 1235 },
      };
      const some = {
        namespace: 'models',
        revision: 'digits-00001',
        requestSeconds: 5,
        requests: 1,
        inFlight: 1,
        queued: 0,
      };
      await demand(stream, 2, { announcements: [announcement], revisions: [some] });
      await stream.until((received) =>
        routesIn(received).some(({ functions }) => functions[0]?.revisions[0]?.pods[0]?.ports.http === 1234),
      );
      let beats = 0;
      const walk = async (): Promise<void> => {
        await demand(heard, ++beats, { bootId: 'other' });
        await world.clock.advance(1000);
        // What was sent arrives without any time of the clock.
        for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      };
      gateway.refuseWith = 503;
      stream.cut();
      for (let second = 0; second < 60; second++) await walk();
      expect((await pod('digits-00001-0'))?.metadata.deletionTimestamp).toBeUndefined();

      await gatewayPod('gateway-0', gateway, 'False');
      // Nobody is where the pod says that it is, so it is deleted after some attempts to ask it.
      while ((await pod('digits-00001-0')) !== undefined) await walk();
    } finally {
      await other.close();
    }
  });

  test.each([
    {
      told: { gatewayHost: 'gateway.example', networkPolicies: true },
      made: ['digits -> gateway.example', 'policy for pilotlight-system'],
    },
    { told: { gatewayHost: undefined, networkPolicies: false }, made: [] },
  ])('makes the Services and NetworkPolicies that it is told to: $told', async ({ told, made }) => {
    await world.cluster.create(MODEL_FUNCTIONS, digits);
    await start(told);
    await eventually(() => pod('digits-00001-0'));
    await eventually(async () => (await world.cluster.get(MODEL_FUNCTIONS, key))?.status);
    const services = await world.cluster.list(SERVICES);
    const policies = await world.cluster.list(NETWORK_POLICIES);
    expect([
      ...services.map(({ metadata, spec }) => `${metadata.name} -> ${spec?.externalName}`),
      ...policies.map(({ spec }) => {
        const [namespace] = Object.values(spec?.ingress?.[0]?.from?.[0]?.namespaceSelector?.matchLabels ?? {});
        return `policy for ${namespace}`;
      }),
    ]).toEqual(made);
  });

  test('is healthy, and shows its metrics', async () => {
    const { healthPort } = await start();
    const get = async (path: string): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${healthPort}${path}`);
      return `${response.status} ${await response.text()}`;
    };
    expect(await get('/readyz')).toBe('200 ok\n');
    expect(await get('/healthz')).toBe('200 ok\n');
    const metrics = await get('/metrics');
    for (const name of [
      'pilotlight_reconciles_total',
      'pilotlight_reconcile_seconds',
      'pilotlight_reconcile_queue_depth',
      'pilotlight_desired_replicas',
      'pilotlight_ready_replicas',
      'pilotlight_panic_mode',
      'pilotlight_wake_seconds',
      'pilotlight_start_phase_seconds',
      'pilotlight_pod_failures_total',
    ]) {
      expect(metrics).toContain(`# TYPE ${name} `);
    }
  });

  test('is not ready while its view of the cluster is stale, and leads on', async () => {
    const { healthPort } = await start();
    await world.settle();
    stale = 'Nothing came for 301 s.';
    const response = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
    expect(`${response.status} ${await response.text()}`).toBe('503 Nothing came for 301 s.\n');
    await world.cluster.create(MODEL_FUNCTIONS, digits);
    await world.settle();
    expect(await world.cluster.list(PODS)).toHaveLength(1);
  });

  test('sends no routes before its Lease is its own', async () => {
    let refuses = true;
    const { cluster } = testCluster({
      faults: {
        call: ({ resource }) =>
          refuses && resource.endsWith('/Lease') ? new ClusterError('Unavailable', 'No leases') : undefined,
      },
    });
    await start({}, cluster);
    const stream = (await gateway.stream()).hello();
    await demand(stream, 1, {});
    await stream.until((received) => received.length > 0);
    expect(routesIn(stream.received)).toEqual([]);
    refuses = false;
    await world.clock.advance(2000);
    expect(routesIn(await stream.until((received) => routesIn(received).length > 0))[0]).toMatchObject({ epoch: 2 });
    await operator?.close();
    operator = undefined;
    await cluster.close();
  });
});
