/** gRPC from a pod of the cluster, by the function's own name. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS } from '../local/examples.ts';
import { framedRequest } from '../../runtime/grpc/grpc-client.fixture.ts';
import { ModelInferResponse, ModelStreamInferResponse } from '../../runtime/grpc/messages.ts';
import type { GrpcRequest } from './support/client/protocol.ts';
import { modelFunction } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(180_000);

const SERVICE = '/inference.GRPCInferenceService';
const PREFIX_BYTES = 5;
const CLIENTS = 4;

const [{ data, ...pixels }] = (
  JSON.parse(DIGITS.request) as {
    inputs: [{ name: string; datatype: string; shape: number[]; data: number[] }];
  }
).inputs;
const expected = DIGITS.expected.outputs.find(({ name }) => name === 'label')?.data;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('grpc');
  await suite.apply(modelFunction('digits'), modelFunction('kept', { scaling: { minReplicas: 2, maxReplicas: 2 } }));
  await suite.untilReady('digits');
  await suite.untilReady('kept');
});
afterAll(() => suite.close());

function request(name: string, method = 'ModelInfer', given: object = {}, count = 1): GrpcRequest {
  const value = {
    model_name: name,
    inputs: [pixels],
    raw_input_contents: [Buffer.from(Float32Array.from(data).buffer)],
    ...given,
  };
  const message = framedRequest(value).subarray(PREFIX_BYTES).toString('base64');
  return {
    url: `http://${name}.${suite.namespace}`,
    method: `${SERVICE}/${method}`,
    messages: Array.from({ length: count }, () => message),
  };
}

function labels({ outputs = [], raw_output_contents: raw = [] }: Partial<ModelInferResponse> = {}): number[] {
  const bytes = Buffer.from(raw[outputs.findIndex(({ name }) => name === 'label')] ?? []);
  return Array.from({ length: bytes.length / 8 }, (_, index) => Number(bytes.readBigInt64LE(8 * index)));
}

test('the first call wakes a function without pods, is answered right, and says how long it waited', async () => {
  await suite.untilNoPods('digits');
  const cold = await suite.client.send(request('digits'));
  expect(cold.error).toBeUndefined();
  expect(labels(ModelInferResponse.decode(Buffer.from(cold.body, 'base64')))).toEqual(expected);
  expect(Number(cold.headers['pilotlight-cold-start'])).toBeGreaterThan(0);
  process.stdout.write(`The first call took ${Math.round(cold.totalMilliseconds)} ms.\n`);
  const warm = await suite.client.send(request('digits'));
  expect(warm.status).toBe(200);
  expect(warm.headers).not.toHaveProperty('pilotlight-cold-start');
});

test('a stream is answered message by message', async () => {
  const { status, body } = await suite.client.send(request('digits', 'ModelStreamInfer', {}, 3));
  expect(status).toBe(200);
  const answers = body.split('\n').map((line) => ModelStreamInferResponse.decode(Buffer.from(line, 'base64')));
  expect(answers.map(({ infer_response: response }) => labels(response))).toEqual([expected, expected, expected]);
});

test('errors of gateway and pod are statuses with a sentence', async () => {
  const pod = await suite.client.send(request('digits', 'ModelInfer', { model_name: 'letters' }));
  expect(pod).toMatchObject({ status: 404, body: expect.stringContaining('no model "letters"') });
  const unknown = { ...request('digits'), url: `http://digits.${suite.namespace}`, method: `${SERVICE}/Nothing` };
  expect(await suite.client.send(unknown)).toMatchObject({ status: 501 });
  const late = await suite.client.send({ ...request('digits'), timeoutMilliseconds: 1 });
  expect(late.status === 200 || late.error === 'timeout').toBe(true);
});

test('nothing is lost when one of two pods is deleted, and another killed, under load', async () => {
  const load = await suite.client.load({ request: request('kept'), concurrency: CLIENTS });
  await load.until({ ended: 100 }, 60);
  const [first, second] = suite.podsOf('kept').map(({ metadata }) => metadata);
  await suite.kubectl('delete', 'pod', first?.name ?? '', '--wait=false');
  await suite.pods.until('a pod was replaced', () => {
    const now = suite.podsOf('kept').filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return now.length === 2 && now.every(({ metadata }) => metadata.uid !== first?.uid) ? true : undefined;
  });
  await suite.untilReplicas('kept', 2);
  await load.until({ ended: 100 }, 60);
  await suite.kubectl('delete', 'pod', second?.name ?? '', '--wait=false', '--grace-period=0', '--force');
  await suite.pods.until('another was replaced', () => {
    const now = suite.podsOf('kept').filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return now.length === 2 && now.every(({ metadata }) => metadata.uid !== second?.uid) ? true : undefined;
  });
  await suite.untilReplicas('kept', 2);
  await load.until({ ended: 100 }, 60);
  const { outcomes, failures } = await load.stop();
  expect({ outcomes: Object.keys(outcomes), failures }).toEqual({ outcomes: ['200'], failures: [] });
});
