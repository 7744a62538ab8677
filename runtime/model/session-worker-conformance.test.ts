import { join } from 'node:path';
import { InferenceError } from '../inference.ts';
import { FakeSessionWorker } from './fake-session-worker.ts';
import { SessionThread } from './session-thread.ts';
import { startThread } from './start-thread.ts';
import { describeSessionWorker } from './session-worker-conformance.ts';

describeSessionWorker('the thread with ONNX Runtime', async () => {
  const worker = new SessionThread(startThread('conformance'));
  await worker.create(join(import.meta.dirname, 'fixtures', 'lookup.onnx'), {
    executionProviders: ['CPU'],
    intraOpThreads: 1,
  });
  return { worker, finish: () => undefined };
});

describeSessionWorker('the fake', () => {
  const worker = new FakeSessionWorker();
  const finish = (): void => {
    const run = worker.runs.at(-1);
    const row = Number(new BigInt64Array(run!.inputs[0]!.data.buffer)[0]);
    const data = new Uint8Array(Float32Array.of(2 * row, 2 * row + 1).buffer);
    if (row < 4) run?.succeed([{ name: 'y', datatype: 'FP32', shape: [1, 2], data }]);
    else run?.fail(new InferenceError('Out of bounds.'));
  };
  return Promise.resolve({ worker, finish });
});
