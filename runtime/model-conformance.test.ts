import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, wait } from '../common/platform/clock.ts';
import { createLogger } from '../common/platform/logging.ts';
import { ManualClock } from '../common/platform/manual-clock.ts';
import { FakeModel } from './fake-model.ts';
import { InferenceError, type InferenceRequest } from './inference.ts';
import { describeModel } from './model-conformance.ts';
import { loadModel } from './model/load-model.ts';

/** Some tenths of a second. */
const LONG = 30_000;

const trips = (...counts: number[]): InferenceRequest => ({
  inputs: [
    {
      name: 'trips',
      datatype: 'INT64',
      shape: counts.length === 1 ? [] : [counts.length],
      data: new Uint8Array(BigInt64Array.from(counts, BigInt).buffer),
    },
  ],
});

describeModel('the model in its threads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'model-conformance-'));
  const model = await loadModel(
    {
      namespace: 'default',
      function: 'loop',
      revision: 'loop-00001',
      model: { uri: `file:${join(import.meta.dirname, 'model', 'fixtures', 'loop.onnx')}` },
      executionProviders: ['CPU'],
      instances: 1,
      intraOpThreads: 1,
      batching: { maxBatchSize: 1, maxDelayMilliseconds: 0 },
      timeoutSeconds: 60,
    },
    {
      directory,
      clock: systemClock,
      logger: createLogger('test', 'silent'),
      signal: new AbortController().signal,
    },
  );
  await rm(directory, { recursive: true });
  return {
    model,
    clock: systemClock,
    hold: () => Promise.resolve({ answer: model.infer(trips(LONG)) }),
    release: () => undefined,
    // A vector is refused where a scalar is due.
    request: (fails) => (fails === undefined ? trips(1) : trips(1, 2)),
    pass: (milliseconds) => wait(systemClock, milliseconds),
  };
});

describeModel('the fake', () => {
  const clock = new ManualClock();
  const model = new FakeModel({}, clock);
  const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: new Uint8Array(8) } as const;
  return Promise.resolve({
    model,
    clock,
    hold: () => {
      model.hold();
      return Promise.resolve({ answer: model.infer({ inputs: [x] }) });
    },
    release: () => model.release(),
    request: (fails) => {
      if (fails !== undefined) model.failNext(new InferenceError('It failed.'));
      return { inputs: [x] };
    },
    pass: (milliseconds) => clock.advance(milliseconds),
  });
});
