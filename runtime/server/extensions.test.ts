/** Triton's extensions of the protocol that are served beside binary tensors. */
import { request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { FakeModel } from '../fake-model.ts';
import type { Model } from '../inference.ts';
import { closeTestRuntimes, POD, ROW, testRuntime } from '../runtime.fixture.ts';

afterEach(closeTestRuntimes);

const MODEL = '/v2/models/digits';

function withParameters(parameters: object): string {
  return JSON.stringify({ ...(JSON.parse(ROW) as object), parameters });
}

describe('statistics', () => {
  test.each(['/v2/models/stats', `${MODEL}/stats`, `${MODEL}/versions/1/stats`])(
    'at %s count what happened',
    async (path) => {
      const { infer, send, clock, model, metrics } = await testRuntime();
      await clock.advance(5);
      await infer();
      await infer({
        body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [3, 2], data: [1, 2, 3, 4, 5, 6] }] }),
      });
      await infer({ body: '{}' });
      model.hold();
      const run = (milliseconds: number): object => ({ count: 1, ns: milliseconds * 1e6 });
      const { json, status } = await send(path);
      expect(status).toBe(200);
      expect(json).toEqual({
        model_stats: [
          {
            name: 'digits',
            version: 'digits-00001',
            last_inference: clock.now(),
            inference_count: 4,
            execution_count: 2,
            inference_stats: {
              success: { count: 2, ns: 0 },
              fail: { count: 1, ns: 0 },
              queue: { count: 2, ns: 2e6 },
              compute_input: { count: 2, ns: 4e6 },
              compute_infer: { count: 2, ns: 6e6 },
              compute_output: { count: 2, ns: 8e6 },
              cache_hit: { count: 0, ns: 0 },
              cache_miss: { count: 0, ns: 0 },
            },
            response_stats: {},
            batch_stats: [
              { batch_size: 1, compute_input: run(2), compute_infer: run(3), compute_output: run(4) },
              { batch_size: 3, compute_input: run(2), compute_infer: run(3), compute_output: run(4) },
            ],
            memory_usage: [],
          },
        ],
      });
      expect(await metrics()).toMatch(/nv_inference_count\S* 4\n/);
    },
  );
});

describe('the configuration', () => {
  test('is that of a Triton model without batching', async () => {
    const { send } = await testRuntime();
    expect((await send(`${MODEL}/config`)).json).toEqual({
      name: 'digits',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      version_policy: { latest: { num_versions: 1 } },
      max_batch_size: 0,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 2] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [-1, 2] }],
      instance_group: [{ name: 'digits', kind: 'KIND_CPU', count: 1 }],
      default_model_filename: 'model.onnx',
    });
  });

  test('leaves the rows out of the dimensions where requests share runs', async () => {
    const texts = [{ name: 'x', datatype: 'BYTES', shape: [-1, 2] }];
    const model = new FakeModel({ batching: { enabled: true, reason: '' }, inputs: texts });
    const { runtime, send } = await testRuntime({}, Promise.resolve(model));
    await runtime.ready;
    expect((await send(`${MODEL}/versions/digits-00001/config`)).json).toMatchObject({
      max_batch_size: 8,
      input: [{ name: 'x', data_type: 'TYPE_STRING', dims: [2] }],
      dynamic_batching: { max_queue_delay_microseconds: 0 },
    });
  });
});

describe('the repository', () => {
  test.each(['', '{}', '{"ready":true}'])('lists the one model for %j', async (body) => {
    const { send } = await testRuntime();
    const { status, body: list } = await send('/v2/repository/index', { method: 'POST', body });
    expect(status).toBe(200);
    expect(JSON.parse(list.toString())).toEqual([
      { name: 'digits', version: 'digits-00001', state: 'READY', reason: '' },
    ]);
  });

  test('lists a model that is not ready, but not to who asks for ready ones', async () => {
    const { promise, resolve } = Promise.withResolvers<Model>();
    const { send, model } = await testRuntime({}, promise);
    const list = async (body: string): Promise<unknown> =>
      JSON.parse((await send('/v2/repository/index', { method: 'POST', body })).body.toString());
    expect(await list('{}')).toMatchObject([{ state: 'UNAVAILABLE' }]);
    expect(await list('{"ready":true}')).toEqual([]);
    resolve(model);
  });

  test.each([
    ['[]', 400],
    ['{"ready":1}', 400],
    [' '.repeat(1025), 413],
  ])('refuses the question %j', async (body, status) => {
    const { send } = await testRuntime();
    expect((await send('/v2/repository/index', { method: 'POST', body })).status).toBe(status);
  });

  test.each(['load', 'unload'])('has no %s, and says why', async (action) => {
    const { send } = await testRuntime();
    const { status, json } = await send(`/v2/repository/models/digits/${action}`, { method: 'POST', body: '{}' });
    expect(status).toBe(400);
    expect(json['error']).toContain('Apply a ModelFunction instead.');
  });
});

describe('classification', () => {
  test('answers with the largest elements of each row', async () => {
    const { infer } = await testRuntime();
    const outputs = [{ name: 'y', parameters: { classification: 1 } }];
    const { json } = await infer({ body: JSON.stringify({ ...(JSON.parse(ROW) as object), outputs }) });
    expect(json['outputs']).toEqual([{ name: 'y', datatype: 'BYTES', shape: [1, 1], data: ['2.000000:1'] }]);
  });
});

describe('the schedule', () => {
  test('lets a request of a high priority go first', async () => {
    const { infer, model } = await testRuntime();
    model.hold();
    const until = async (waiting: number): Promise<void> => {
      while (model.load.waiting < waiting) await new Promise((resolve) => setImmediate(resolve));
    };
    const order: string[] = [];
    const running = infer();
    while (model.load.running === 0) await new Promise((resolve) => setImmediate(resolve));
    const low = infer({ body: withParameters({ priority: 8 }) }).then(() => order.push('low'));
    await until(1);
    const high = infer({ body: withParameters({ priority: 1 }) }).then(() => order.push('high'));
    await until(2);
    model.release();
    await Promise.all([running, low, high]);
    expect(order).toEqual(['high', 'low']);
  });

  test('answers 503, never begun again elsewhere, when a request’s timeout is over before its run', async () => {
    const { infer, metrics } = await testRuntime({ load: () => Promise.resolve(new ExpiringModel()) });
    const { status, headers, json } = await infer({ body: withParameters({ timeout: 1500 }) });
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, undefined]);
    expect(json['error']).toMatch(/^Request timeout expired/);
    expect(await metrics()).toMatch(/nv_inference_request_failure\{.*reason="CANCELED"\} 1/);
  });
});

/** Nothing ever begins in time. */
class ExpiringModel extends FakeModel {
  override infer(request: Parameters<FakeModel['infer']>[0]): ReturnType<FakeModel['infer']> {
    if (request.deadline !== 1.5) throw new Error(`The deadline is ${String(request.deadline)}.`);
    return super.infer({ ...request, deadline: -1 });
  }
}

test('a request’s body that does not arrive in time is the client’s fault', async () => {
  const { runtime, clock, metrics } = await testRuntime();
  const headers = { 'content-length': 1000, 'pilotlight-pod-uid': POD.uid, 'pilotlight-timeout-ms': '500' };
  const slow = request({
    host: '127.0.0.1',
    port: runtime.ports.http,
    path: `${MODEL}/infer`,
    method: 'POST',
    agent: false,
    headers,
  });
  const answered = new Promise<number | undefined>((resolve) =>
    slow.on('response', ({ statusCode }) => resolve(statusCode)),
  );
  slow.on('error', () => undefined);
  slow.write('{');
  while (!/requests_in_flight\S* 1/.test(await metrics()));
  await clock.advance(500);
  expect(await answered).toBe(408);
  while (!/requests_in_flight\S* 0/.test(await metrics()));
});
