import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import type { InferenceRequest, InferenceResult, Model, Tensor } from '../inference.ts';
import { packBytesElements } from '../protocol/bytes-elements.ts';
import { loadModel } from './load-model.ts';

let directory: string;
let model: Model | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shared-runs-'));
});

afterEach(async () => {
  await model?.close();
  model = undefined;
  await rm(directory, { recursive: true });
});

function load(fixture: string): Promise<Model> {
  const specification = {
    namespace: 'default',
    function: 'test',
    revision: 'test-00001',
    model: { uri: `file:${join(import.meta.dirname, 'fixtures', `${fixture}.onnx`)}` },
    executionProviders: ['CPU'],
    instances: 2,
    intraOpThreads: 1,
    batching: { maxBatchSize: 5, maxDelayMilliseconds: 0 },
    timeoutSeconds: 60,
  };
  const { signal } = new AbortController();
  return loadModel(specification, { directory, clock: systemClock, logger: createLogger('test', 'silent'), signal });
}

const rows = fc.nat(4);
const width = fc.nat(2);
const bytes = (numbers: NodeJS.TypedArray): Uint8Array => new Uint8Array(numbers.buffer);
const exactly = (length: number) => ({ minLength: length, maxLength: length });

const floats = (name: string, shape: readonly number[]): fc.Arbitrary<Tensor> =>
  fc
    .float32Array(exactly(shape.reduce((product, size) => product * size, 1)))
    .map((numbers) => ({ name, datatype: 'FP32', shape, data: bytes(numbers) }));
/** Rows or a width of its own for an input now and then, which fails the run, or is what the other is repeated for. */
const pairs = fc
  .tuple(rows, width, fc.option(rows, { freq: 6 }), fc.option(width, { freq: 6 }))
  .chain(([count, wide, rowsOfB, widthOfB]) =>
    fc.tuple(floats('a', [count, wide]), floats('b', [rowsOfB ?? count, widthOfB ?? wide])),
  );
/** Bytes of any kind are rarely UTF-8, which ONNX Runtime's strings must be. */
const element = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)) },
  fc.uint8Array(),
);
const texts = fc
  .tuple(rows, width)
  .chain(([count, wide]) =>
    fc
      .array(element, exactly(count * wide))
      .map((data): Tensor[] => [
        { name: 'text', datatype: 'BYTES', shape: [count, wide], data: packBytesElements(data) },
      ]),
  );
/** Of a table of 4; another index fails the run. */
const indices = rows.chain((count) =>
  fc
    .array(fc.bigInt({ min: 0n, max: 4n }), exactly(count))
    .map((numbers): Tensor[] => [
      { name: 'index', datatype: 'INT64', shape: [count], data: bytes(BigInt64Array.from(numbers)) },
    ]),
);

const plain = ({ outputs }: InferenceResult): unknown =>
  outputs.map((output) => ({ ...output, data: [...output.data] }));

/** What a client gets: outputs, or a sentence. */
const infer = (request: InferenceRequest): Promise<unknown> =>
  model!.infer(request).then(plain, (error: unknown) => String(error));

test.each<[fixture: string, inputs: fc.Arbitrary<readonly Tensor[]>, outputs: readonly string[]]>([
  ['two-inputs', pairs, ['sum', 'difference']],
  ['strings', texts, ['same']],
  ['lookup', indices, ['y']],
])(
  'requests for %s that share runs get what each gets alone, whatever the others are',
  async (fixture, inputs, outputs) => {
    model = await load(fixture);
    expect(model.facts.batching.enabled).toBe(true);
    const request = fc.record(
      { inputs, outputs: fc.shuffledSubarray([...outputs], { minLength: 1 }), priority: fc.nat(8) },
      { requiredKeys: ['inputs'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), async (requests) => {
        const alone: unknown[] = [];
        for (const one of requests) alone.push(await infer(one));
        expect(await Promise.all(requests.map(infer))).toEqual(alone);
      }),
      { numRuns: 30 },
    );
  },
  120_000,
);
