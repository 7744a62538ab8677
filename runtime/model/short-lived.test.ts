/**
 * What a request leaves behind for the garbage collector. The frequent, cheap collections should find nothing of the requests that have ended: what they
 * keep goes to old space, which only a full collection empties.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { Tensor } from '../inference.ts';
import { OnnxModel } from './onnx-model.ts';
import type { SessionWorker } from './session-worker.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

/** Answers with what it got, a turn of the event loop later. */
const echo: SessionWorker = {
  run: async ([input]) => {
    await turn();
    return {
      outputs: input === undefined ? [] : [{ ...input, name: 'y' }],
      timing: { computeInput: 0, compute: 0, computeOutput: 0 },
    };
  },
  failed: new Promise(() => undefined),
  close: () => Promise.resolve(),
};

function makeModel(isBatched: boolean): OnnxModel {
  return new OnnxModel({
    facts: {
      sha256: '',
      sizeBytes: 0,
      inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1, 8] }],
      outputs: [{ name: 'y', datatype: 'UINT8', shape: [-1, 8] }],
      batching: { enabled: isBatched, reason: '' },
    },
    executionProviders: ['CPU'],
    phases: {},
    workers: [echo],
    hasRows: true,
    limits: { maxBatchSize: 4, maxDelayMilliseconds: 0 },
    longestRun: 120_000,
    clock: new ManualClock(),
  });
}

/** Of the objects that outlived two collections. */
function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
}

test.each([
  ['one after the other', 1, true, 80],
  ['many at once, in batches', 16, true, 400],
  ['many at once, each alone', 16, false, 400],
])('requests %s leave nothing in old space', async (_, atOnce, isBatched, mostBytes) => {
  const model = makeModel(isBatched);
  let asked = 0;
  const ask = async (until: number): Promise<void> => {
    while (asked < until) {
      asked += 1;
      // Twice, while others wait: what outlives both is moved to old space.
      if (asked % 300 === 0) for (let times = 0; times < 2; times += 1) collect({ type: 'minor' });
      const x: Tensor = { name: 'x', datatype: 'UINT8', shape: [1, 8], data: new Uint8Array(8) };
      await model.infer({ inputs: [x], signal: new AbortController().signal });
    }
  };
  const askMany = (until: number): Promise<unknown> => Promise.all(Array.from({ length: atOnce }, () => ask(until)));
  await askMany(2000);
  const before = oldBytes();
  await askMany(8000);
  // Those that wait at a collection may get there, one in 20. Where one thing holds the next, all do, with 1700 bytes each.
  expect((oldBytes() - before) / 6000).toBeLessThan(mostBytes);
});
