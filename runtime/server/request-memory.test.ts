import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeModel } from '../fake-model.ts';
import { GrpcClient } from '../grpc/grpc-client.fixture.ts';
import { packTexts } from '../protocol/packed-texts.ts';
import { closeTestRuntimes, testRuntime, type Answer, type TestRuntime } from '../runtime.fixture.ts';

/** 10 elements of no letter take 100 × 10 + 7 × 40 bytes, and the 3 times of a body of fewer than 300 bytes. */
const MEMORY = 5_000;
const TEXT = { name: 'text', datatype: 'BYTES', shape: [-1] };

let runtime: TestRuntime;
let model: FakeModel;

beforeEach(async () => {
  model = new FakeModel({ inputs: [TEXT], outputs: [{ ...TEXT, name: 'same' }] });
  runtime = await testRuntime({ memoryLimit: () => MEMORY }, Promise.resolve(model));
  await runtime.runtime.ready;
});

afterEach(async () => {
  model.release();
  await closeTestRuntimes();
});

function send(count: number): Promise<Answer> {
  const data = packTexts(Array<string>(count).fill(''));
  const input = { name: 'text', datatype: 'BYTES', shape: [count], parameters: { binary_data_size: data.length } };
  const json = JSON.stringify({ inputs: [input] });
  const headers = { 'inference-header-content-length': json.length };
  return runtime.infer({ body: Buffer.concat([Buffer.from(json), data]), headers });
}

const memoryTaken = async (): Promise<string | undefined> =>
  /^pilotlight_runtime_request_memory_bytes\{.*\} (\d+)$/m.exec(await runtime.metrics())?.[1];

test('a request whose elements can never fit is refused, with their input and number and the bound', async () => {
  const { status, json, headers } = await send(100);
  expect(status).toBe(413);
  expect(json['error']).toBe(
    'Input "text" has 100 elements of BYTES, which take 1 MiB of memory; all requests of this replica may take 1 MiB together. Send fewer at once.',
  );
  expect(headers).not.toHaveProperty('pilotlight-not-admitted');
  expect(model.requests).toHaveLength(0);
  expect(await memoryTaken()).toBe('0');
});

test('a request that does not fit beside the others was not begun, and fits when they have ended', async () => {
  model.hold();
  const held = [send(10), send(10)];
  while (model.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(Number(await memoryTaken())).toBeGreaterThan(2_000);
  const refused = await send(10);
  expect([refused.status, refused.headers['pilotlight-not-admitted']]).toEqual([429, 'LimitReached']);
  expect(refused.json['error']).toContain('Input "text" has 10 elements of BYTES');
  model.release();
  for (const { status } of await Promise.all(held)) expect(status).toBe(200);
  expect((await send(10)).status).toBe(200);
  expect(await memoryTaken()).toBe('0');
});

test('so is a gRPC call', async () => {
  const client = new GrpcClient(runtime.runtime.ports.grpc);
  const data = packTexts(Array<string>(100).fill(''));
  const inputs = [{ name: 'text', datatype: 'BYTES', shape: [100] }];
  const { error } = await client.call('ModelInfer', {
    model_name: 'digits',
    inputs,
    raw_input_contents: [Buffer.from(data)],
  });
  expect(error?.details).toContain('Input "text" has 100 elements of BYTES');
  expect(await memoryTaken()).toBe('0');
  client.close();
});

test('a body that memory has no room for is too large', async () => {
  const { status, json } = await runtime.infer({ body: ' '.repeat(MEMORY / 3 + 1) });
  expect([status, json['error']]).toEqual([413, 'The body is larger than the 1666 bytes that are taken.']);
});

test('an answer that memory has no room for is refused', async () => {
  model = new FakeModel({
    inputs: [TEXT],
    outputs: Array.from({ length: 40 }, (_, i) => ({ ...TEXT, name: `y${i}` })),
  });
  runtime = await testRuntime({ memoryLimit: () => MEMORY }, Promise.resolve(model));
  await runtime.runtime.ready;
  const { status, json } = await send(10);
  expect([status, json['error']]).toEqual([503, expect.stringContaining('The outputs take')]);
  expect(await memoryTaken()).toBe('0');
});
