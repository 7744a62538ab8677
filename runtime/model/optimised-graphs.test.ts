import { expect, test } from '@jest/globals';
import { systemClock } from '../../common/platform/clock.ts';
import { isWorthKeeping, mayBeOptimised, OptimisedGraphs } from './optimised-graphs.ts';

const MEBIBYTE = 2 ** 20;

test.each([
  ['a graph of 3,900 small nodes', 99, 5 * MEBIBYTE, true],
  ['dense layers of 109 MB', 151, 109 * MEBIBYTE, false],
  ['dense layers on a busy machine', 400, 109 * MEBIBYTE, false],
  ['a tiny model', 2, 100_000, false],
  ['convolutions', 5, 1.5 * MEBIBYTE, false],
])('%s: %d ms for %d bytes', (_, milliseconds, sizeBytes, expected) => {
  expect(isWorthKeeping(milliseconds, { sizeBytes })).toBe(expected);
});

test('graphs of other providers, or of less than what is kept, are not', () => {
  const session = { executionProviders: ['CPU'], intraOpThreads: 1 } as const;
  expect(mayBeOptimised(session)).toBe(true);
  expect(mayBeOptimised({ ...session, executionProviders: ['CUDA', 'CPU'] })).toBe(false);
  expect(mayBeOptimised({ ...session, settings: { graphOptimizationLevel: 'Basic' } })).toBe(false);
});

test('keeps nothing where the memory for it is not there', async () => {
  const graphs = new OptimisedGraphs('/nowhere', '1.30.0', systemClock, () => 239 * MEBIBYTE);
  const digest = { sha256: 'ab'.repeat(32), sizeBytes: 48 * MEBIBYTE };
  const session = { executionProviders: ['CPU'], intraOpThreads: 1 } as const;
  await expect(graphs.keep(digest, '/nowhere/model.onnx', session)).resolves.toEqual({
    reason: 'trying takes 240 MiB of memory, of which 239 are left',
  });
});
