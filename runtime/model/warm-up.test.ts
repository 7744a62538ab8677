import { expect, test } from '@jest/globals';
import { InferenceError } from '../inference.ts';
import type { DeclaredTensor } from './declared-tensor.ts';
import type { SessionWorker } from './session-worker.ts';
import { warmUp } from './warm-up.ts';

const worker: SessionWorker = {
  run: () => Promise.reject(new InferenceError('no')),
  failed: new Promise(() => undefined),
  close: () => Promise.resolve(),
};
const axis = { batchable: false, reason: 'the model has none' } as const;
const first = (input: DeclaredTensor): ReturnType<typeof warmUp> =>
  warmUp(worker, { inputs: [input], outputs: [], axis }, { maxBatchSize: 1 });

test('a failure is held against a model of fixed shapes', async () => {
  await expect(first({ name: 'x', datatype: 'FP32', shape: [] })).rejects.toThrow('its first run failed: no');
});

test.each<[string, DeclaredTensor]>([
  ['a free dimension', { name: 'x', datatype: 'FP32', shape: ['n'] }],
  ['any shape', { name: 'x', datatype: 'FP32', shape: [], isAnyShape: true }],
])('no failure is held against a model whose input has %s', async (_about, input) => {
  expect(await first(input)).toMatchObject({ cold: 'no' });
});
