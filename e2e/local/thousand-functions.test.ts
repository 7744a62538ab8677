/** A thousand functions on this machine: their pods are servers of this process, for no machine has room for so many runtimes. All else is the product's. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { LABELS } from '../../common/api/names.ts';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import { MemoryCluster } from '../../operator/cluster/memory/memory-cluster.ts';
import { PRODUCT_RESOURCES } from '../../operator/cluster/memory/product-resources.ts';
import { StubRunner, type StubPod } from '../../operator/cluster/memory/stub-runner.ts';
import { MODEL_FUNCTIONS, PODS } from '../../operator/cluster/resources.ts';
import { operatorConfiguration } from '../../operator/configuration-fixture.ts';
import { startOperator } from '../../operator/operator.ts';
import { announce } from '../../runtime/announce/announce.ts';
import { parseGatewayAddresses } from '../../runtime/announce/gateway-address.ts';
import { isReady } from '../function-state.ts';
import { GatewayProcess } from './gateway-process.ts';
import { startPlatform, type Platform, type PlatformParts } from './platform.ts';

jest.setTimeout(240_000);

const FUNCTIONS = 1_000;
const CALLED = 200;
/** Are made before the next: all of a thousand together take longer than a test waits for one thing. */
const AT_ONCE = 100;

const runner = new StubRunner((pod) => serve(pod));
const servers = new Set<Server>();
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform(startParts);
});
afterAll(() => platform.close());

async function startParts(): Promise<PlatformParts> {
  const token = randomBytes(32).toString('base64url');
  const gateway = await GatewayProcess.start('gateway-0', token, () => undefined);
  const { http, control, metrics } = gateway.ports;
  const [clock, random] = [systemClock, Math.random];
  const capacity = { pods: String(2 * FUNCTIONS) };
  const cluster = new MemoryCluster({ clock, random, resources: PRODUCT_RESOURCES, runner, capacity });
  const operator = await startOperator({
    credentials: { token, signingKeys: [{ id: 'test', secret: randomBytes(32).toString('base64url') }] },
    configuration: operatorConfiguration({
      gateways: [{ id: 'gateway-0', host: '127.0.0.1', controlPort: control }],
    }),
    cluster,
    clock,
    random,
    logger: createLogger('test', 'silent'),
    registry: new Registry(),
  });
  return {
    cluster,
    gateways: [`http://127.0.0.1:${http}`],
    metrics: [`http://127.0.0.1:${metrics}/metrics`],
    close: async () => {
      await gateway.close();
      await operator.close();
      await cluster.close();
      for (const server of servers) server.close().closeAllConnections();
    },
  };
}

/** Answers with the name of its function, lets itself be drained, and announces itself. */
function serve({ pod, environment, exited }: StubPod): void {
  const { namespace = '', name, uid = '', labels = {} } = pod.metadata;
  const server = createServer((request, response) => {
    response.setHeader(RESPONSE_HEADERS.podUid, uid);
    request.resume().on('end', () => response.end(labels[LABELS.function]));
  });
  servers.add(server);
  void exited.then(() => server.close());
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    const ended = new AbortController();
    void exited.then(() => ended.abort());
    void announce({
      announcement: {
        namespace,
        revision: labels[LABELS.revision] ?? '',
        pod: name,
        uid,
        host: '127.0.0.1',
        ports: { http: port, control: port },
      },
      gateways: parseGatewayAddresses(environment[RUNTIME_ENVIRONMENT.gateways] ?? '') ?? [],
      token: environment[RUNTIME_ENVIRONMENT.announceToken] ?? '',
      clock: systemClock,
      logger: createLogger('test', 'silent'),
      random: Math.random,
      signal: ended.signal,
    });
  });
}

test('200 of a thousand functions, called at once at zero, each get the answer of their own', async () => {
  const names = Array.from({ length: FUNCTIONS }, (_, at) => `model-${at}`);
  for (let made = 0; made < FUNCTIONS; made += AT_ONCE) {
    const some = names.slice(made, made + AT_ONCE);
    for (const name of some) await platform.apply(name, { model: { uri: `https://models.example/${name}.onnx` } });
    await platform.until('they are ready', MODEL_FUNCTIONS, (all) => {
      return all.filter(isReady).length === made + some.length || undefined;
    });
  }
  await platform.until('all are at zero', PODS, (pods) => pods.length === 0 || undefined);

  const before = runner.started.length;
  const called = names.filter((_, at) => at % (FUNCTIONS / CALLED) === 0);
  const answers = await Promise.all(called.map((name) => platform.infer(name, '{}')));

  expect(answers.map(({ status, body }) => [status, body.toString()])).toEqual(called.map((name) => [200, name]));
  expect(answers.filter(({ headers }) => headers[RESPONSE_HEADERS.coldStart] === undefined)).toEqual([]);
  const woken = runner.started.slice(before).map(({ pod }) => pod.metadata.labels?.[LABELS.function]);
  expect(woken.toSorted()).toEqual(called.toSorted());
});
