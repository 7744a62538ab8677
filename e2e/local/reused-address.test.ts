import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { PodRoute } from '../../common/wire/routes.ts';
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import { call, type Answer } from '../../gateway/testing/client.ts';
import { functionRoute, revisionRoute } from '../../gateway/testing/gateway-fixture.ts';
import { GrpcClient, type GrpcReply } from '../../gateway/testing/grpc-client.ts';
import { StubOperator } from '../../gateway/testing/stub-operator.ts';
import type { MeasuredProcess } from '../server/measured-process.ts';
import { freePort, startRuntime, type RuntimeServer } from '../server/start-runtime.ts';
import { GatewayProcess } from './gateway-process.ts';

jest.setTimeout(60_000);

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'digits');
const REQUEST = readFileSync(join(EXAMPLE, 'request.json'));
const DIRECTORY = mkdtempSync(join(tmpdir(), 'pilotlight-reused-'));
const processes: MeasuredProcess[] = [];
let gateway: GatewayProcess;
let operator: StubOperator;
let runtime: RuntimeServer;

beforeAll(async () => {
  gateway = await GatewayProcess.start('gateway-0', 'token', () => undefined);
  operator = new StubOperator(gateway.ports.control, 'token');
  const workplace = { directory: DIRECTORY, own: (one: MeasuredProcess) => processes.push(one) };
  const model = { name: 'digits', path: join(EXAMPLE, 'model.onnx') };
  const names = RUNTIME_ENVIRONMENT;
  runtime = await startRuntime(
    workplace,
    model,
    { namespace: 'theirs' },
    {
      [names.podName]: 'pod-theirs',
      [names.podUid]: 'theirs',
      [names.podHost]: '127.0.0.1',
      [names.announceToken]: 'unused',
      [names.drainToken]: 'unused',
      [names.controlPort]: String(await freePort()),
    },
  );
});
afterAll(async () => {
  operator.cut();
  await gateway.close();
  await Promise.all(processes.map((one) => one.end()));
  rmSync(DIRECTORY, { recursive: true, force: true });
});

const infer = (namespace: string): Promise<Answer> =>
  call(gateway.ports.http, {
    host: `digits.${namespace}`,
    path: '/v2/models/digits/infer',
    headers: { 'content-type': 'application/json' },
    body: REQUEST,
  });

/** ModelReady, of the model `digits`. */
async function ready(namespace: string): Promise<GrpcReply> {
  const client = new GrpcClient(gateway.ports.http, `digits.${namespace}`);
  const reply = await client.call(Buffer.from('\x0a\x06digits'), {
    method: '/inference.GRPCInferenceService/ModelReady',
  });
  client.close();
  return reply;
}

test('a function’s requests are never answered by another one’s pod that got the address of its own', async () => {
  const { port: http, grpcPort: grpc } = runtime;
  const podOf = (uid: string): PodRoute => ({
    name: `pod-${uid}`,
    uid,
    state: 'Ready',
    host: '127.0.0.1',
    ports: { http, grpc, control: 1 },
  });
  const queue = { maxRequests: 10, maxBytes: 1_000_000, timeoutSeconds: 1 };
  const functions = ['ours', 'theirs'].map((namespace) =>
    functionRoute({ namespace, queue, revisions: [revisionRoute([podOf(namespace)])] }),
  );
  operator.routes(1, functions);
  // The model and its paths are the same, so that only who it belongs to tells them apart.
  expect((await infer('theirs')).status).toBe(200);
  expect((await ready('theirs')).error).toBeUndefined();
  const refused = await infer('ours');
  expect({ status: refused.status, text: refused.text }).toEqual({
    status: 503,
    text: expect.stringContaining('no-pod-in-time'),
  });
  expect((await ready('ours')).error?.code).toBe(14);
  const metrics = await call(runtime.metricsPort, { path: '/metrics' });
  expect(metrics.text).toMatch(/admissions_total\{[^}]*result="WrongPod"\} [1-9]/);
});
