import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findBatchAxis } from '../batching/batch-axis.ts';
import { InferenceError, StartError } from '../inference.ts';
import { declareTensors } from './declared-tensor.ts';
import { SessionThread } from './session-thread.ts';
import { startThread } from './start-thread.ts';
import { warmUp } from './warm-up.ts';

/** How many are tried: a few seconds' worth, or as many as this variable says. */
const COUNT = Number(process.env['PILOTLIGHT_CORRUPTED_MODELS'] ?? 300);
const MODELS = ['lookup', 'matmul', 'half', 'strings', 'two-inputs', 'sequence', 'scalars', 'not'].map((name) =>
  readFileSync(join(import.meta.dirname, 'fixtures', `${name}.onnx`)),
);

let directory: string;
let thread: SessionThread;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'corrupted-models-'));
  thread = new SessionThread(startThread('corrupted'));
});
afterAll(async () => {
  await thread.close();
  await rm(directory, { recursive: true });
});

/** Bytes changed, cut off, taken out, doubled. */
const corruption = fc.record({
  model: fc.constantFrom(...MODELS),
  changes: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 8 }),
  cut: fc.option(fc.nat(), { freq: 4 }),
  twice: fc.option(fc.record({ from: fc.nat(), length: fc.integer({ min: 1, max: 64 }) }), { freq: 4 }),
});

test('a corrupted model is refused with a sentence, or runs, and never ends the process', async () => {
  const path = join(directory, 'model.onnx');
  const refused = { count: 0 };
  await fc.assert(
    fc.asyncProperty(corruption, async ({ model, changes, cut, twice }) => {
      let bytes = Buffer.from(model);
      for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
      if (twice !== null) {
        const from = twice.from % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, from + twice.length), bytes.subarray(from)]);
      }
      if (cut !== null) bytes = bytes.subarray(0, cut % bytes.length);
      writeFileSync(path, bytes);
      try {
        const facts = await thread.create(path, { executionProviders: ['CPU'], intraOpThreads: 1 });
        const inputs = declareTensors('input', facts.inputs);
        const outputs = declareTensors('output', facts.outputs);
        await warmUp(thread, { inputs, outputs, axis: findBatchAxis(inputs, outputs) }, { maxBatchSize: 4 });
      } catch (error) {
        refused.count += 1;
        expect(error instanceof InferenceError || error instanceof StartError).toBe(true);
        const { message } = error as Error;
        expect(message.length).toBeGreaterThan(10);
        expect(message.length).toBeLessThan(1000);
        expect(message).not.toContain(directory);
      }
    }),
    { numRuns: COUNT },
  );
  expect(refused.count).toBeGreaterThan(COUNT / 4);
}, 600_000);
