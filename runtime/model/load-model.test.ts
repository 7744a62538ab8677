import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger, type Logger } from '../../common/platform/logging.ts';
import type { BatchingMode, RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import type { InferenceResult, Model, Tensor } from '../inference.ts';
import { writeExternalTable } from './external-table.fixture.ts';
import type { ParsedRequest } from '../protocol/parse-request.ts';
import { checkRequest } from '../protocol/check-request.ts';
import { elementCount } from '../protocol/element-count.ts';
import { loadModel } from './load-model.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

let directory: string;
let model: Model | undefined;
let server: Server | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'load-model-'));
});

afterEach(async () => {
  await model?.close();
  model = undefined;
  server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
});

interface Settings extends Partial<Omit<RuntimeSpecification, 'model' | 'batching'>> {
  readonly uri?: string;
  readonly sha256?: string;
  readonly maxBatchSize?: number;
  readonly mode?: BatchingMode;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
  readonly keepsGraphs?: boolean;
  readonly memoryLimit?: () => number;
}

async function load(fixture: string, settings: Settings = {}): Promise<Model> {
  const {
    uri = `file:${join(FIXTURES, `${fixture}.onnx`)}`,
    sha256,
    maxBatchSize = 32,
    mode,
    logger = createLogger('test', 'silent'),
    signal = new AbortController().signal,
    keepsGraphs = false,
    memoryLimit = () => Infinity,
    ...rest
  } = settings;
  const specification: RuntimeSpecification = {
    namespace: 'default',
    function: 'test',
    revision: 'test-00001',
    model: { uri, ...(sha256 !== undefined && { sha256 }) },
    executionProviders: ['CPU'],
    instances: 1,
    intraOpThreads: 1,
    batching: { maxBatchSize, maxDelayMilliseconds: 0, ...(mode !== undefined && { mode }) },
    timeoutSeconds: 60,
    ...rest,
  };
  model = await loadModel(specification, {
    directory,
    clock: systemClock,
    logger,
    signal,
    keepsGraphs,
    memoryLimit,
  });
  return model;
}

const floats = (name: string, shape: number[], ...values: number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const values = ({ outputs }: InferenceResult): number[] => [
  ...new Float32Array(new Uint8Array(outputs[0]?.data ?? []).buffer),
];
const failure = (reason: string, message: string): unknown =>
  expect.objectContaining({ name: 'StartError', reason, message: expect.stringContaining(message) });

describe('loadModel', () => {
  test('makes a model that answers, and says what it is', async () => {
    const loaded = await load('add-one');
    expect(loaded.facts).toEqual({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizeBytes: 116,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4] }],
      batching: { enabled: true, reason: expect.stringContaining('Batching is on: "batch" is axis 0') },
    });
    expect(loaded.executionProviders).toEqual(['CPU']);
    expect(Object.keys(loaded.phases).sort()).toEqual(['fetch', 'session', 'warmUp', 'workerStart']);
    const result = await loaded.infer({ inputs: [floats('x', [1, 4], 1, 2, 3, 4)] });
    expect(values(result)).toEqual([2, 3, 4, 5]);
  });

  test('answers many at once with each one its own rows, from several sessions', async () => {
    const loaded = await load('add-one', { instances: 2, intraOpThreads: 2, maxBatchSize: 8 });
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) => loaded.infer({ inputs: [floats('x', [1, 4], index, 0, 0, index)] })),
    );
    expect(results.map(values)).toEqual(Array.from({ length: 100 }, (_, index) => [index + 1, 1, 1, index + 1]));
    expect(Math.max(...results.map(({ batch }) => batch.requests))).toBe(8);
  });

  test('lets only the request fail whose data the model refuses', async () => {
    const loaded = await load('lookup');
    const look = (index: bigint): Promise<InferenceResult> =>
      loaded.infer({
        inputs: [
          { name: 'index', datatype: 'INT64', shape: [1], data: new Uint8Array(BigInt64Array.of(index).buffer) },
        ],
      });
    const outcome = await Promise.allSettled([look(0n), look(1n), look(9n), look(3n)]);
    expect(outcome.map((one) => (one.status === 'fulfilled' ? values(one.value) : (one.reason as unknown)))).toEqual([
      [0, 1],
      [2, 3],
      expect.objectContaining({ name: 'InferenceError', message: expect.stringContaining('idx=9') }),
      [6, 7],
    ]);
  });

  test.each([
    ['matmul', true, 'rows together gave what rows alone gave'],
    ['lookup', true, 'rows together gave what rows alone gave'],
    ['half', true, 'rows together gave what rows alone gave'],
    ['strings', true, 'rows together gave what rows alone gave'],
    ['leaks-across-rows', false, 'output "y" of a row depends on which rows share its run'],
    ['quantises-across-rows', false, 'output "y" of a row depends on which rows share its run'],
    ['branches-across-rows', false, 'output "y" of a row depends on which rows share its run'],
    ['no-number', false, 'output "y" is NaN throughout for made-up inputs, which proves nothing'],
    ['vast', false, 'axis 0 of input "x" is fixed at 1048576'],
    ['fixed-batch', false, 'axis 0 of input "x" is fixed at 1'],
    ['scalars', false, 'input "a" has no axis 0'],
    ['needs-seven', false, 'could not be tried with made-up inputs (MatMul node: MatMul dimension mismatch)'],
  ])('finds out whether %s can be batched: %s', async (fixture, enabled, reason) => {
    const loaded = await load(fixture);
    expect(loaded.facts.batching).toEqual({ enabled, reason: expect.stringContaining(reason) });
  });

  test('serves any shape where the model has none, and only scalars where it has that of one', async () => {
    const loaded = await load('any-shape');
    expect(loaded.facts.inputs).toEqual([
      { name: 'x', datatype: 'FP32', shape: [], isAnyShape: true },
      { name: 's', datatype: 'INT64', shape: [] },
    ]);
    const s: Tensor = { name: 's', datatype: 'INT64', shape: [], data: new Uint8Array(8) };
    const request = (x: Tensor, scalar = s): ParsedRequest => ({ inputs: [x, scalar], binaryOutput: true });
    for (const shape of [
      [2, 3],
      [1, 1],
    ]) {
      const x = floats('x', shape, ...Array<number>(elementCount(shape)).fill(1));
      checkRequest(request(x), loaded.facts);
      const { outputs } = await loaded.infer({ inputs: [x, s] });
      expect(outputs[0]?.shape).toEqual([shape[0], shape[0]]);
    }
    expect(() => checkRequest(request(floats('x', [1], 1), { ...s, shape: [1] }), loaded.facts)).toThrow(
      'Input "s" must have the shape []',
    );
  });

  // A row is 256 bytes; requests may take three times what their bodies have.
  test.each([
    [3 * 768, true, 'rows together gave what rows alone gave'],
    [3 * 767, false, '3 made-up rows would take more memory than this replica has for requests'],
    [3 * 255, false, 'could not be tried with made-up inputs (they would be too large)'],
  ])('makes up no more than a request might have: with %i bytes for requests', async (memory, enabled, reason) => {
    const loaded = await load('matmul', { memoryLimit: () => memory });
    expect(loaded.facts.batching).toEqual({ enabled, reason: expect.stringContaining(reason) });
  });

  test('starts a model that made-up inputs do not suit, which then serves', async () => {
    const loaded = await load('needs-seven');
    const result = await loaded.infer({ inputs: [floats('x', [1, 7], 1, 2, 3, 4, 5, 6, 7)] });
    expect(values(result)).toEqual([28]);
  });

  test('leaves batching off where a batch is one row', async () => {
    const loaded = await load('matmul', { maxBatchSize: 1 });
    expect(loaded.facts.batching).toEqual({ enabled: false, reason: 'Batching is off: maxBatchSize is 1.' });
    const result = await loaded.infer({ inputs: [floats('x', [2, 64], ...Array<number>(128).fill(1))] });
    expect(result.batch).toEqual({ requests: 1, rows: 2, first: true });
  });

  test('measures in mode Auto what batches pay, after the start; not in mode On', async () => {
    const measured = new Promise<object>((resolve) => {
      const logger = createLogger('test', 'info', (line) => {
        const entry = JSON.parse(line) as { readonly msg: string; readonly batching: object };
        if (entry.msg === 'Measured what batches pay') resolve(entry.batching);
      });
      void load('matmul', { mode: 'Auto', maxBatchSize: 2, logger });
    });
    const batching = await measured;
    expect(batching).toEqual(model?.facts.batching);
    expect(model?.facts.batching.measured?.map(({ rows }) => rows)).toEqual([1, 2]);
    expect(model?.batchLimit).toBe(model?.facts.batching.maxBatchSize);
  });

  test('keeps the optimised graph where that is worth it, loads it the next time, and ignores it once it is damaged', async () => {
    const lines = Promise.withResolvers<string>();
    const logger = createLogger('test', 'info', (line) => {
      const { msg, path } = JSON.parse(line) as { readonly msg: string; readonly path: string };
      if (msg === 'Kept the optimised graph') lines.resolve(path);
    });
    const ones = { inputs: [floats('x', [1, 64], ...Array<number>(64).fill(1))] };
    const first = await load('matmul', { keepsGraphs: true, logger });
    const expected = values(await first.infer(ones));
    const path = await lines.promise;
    await first.close();
    const loadedFrom = async (): Promise<number> => {
      const before = (await stat(path).catch(() => undefined))?.mtimeMs;
      const again = await load('matmul');
      expect(values(await again.infer(ones))).toEqual(expected.map((value) => expect.closeTo(value, 5)));
      expect(again.facts).toEqual({ ...first.facts, batching: again.facts.batching });
      await again.close();
      return ((await stat(path).catch(() => undefined))?.mtimeMs ?? NaN) - (before ?? NaN);
    };
    // Found, and so marked as used.
    await utimes(path, 1, 1);
    expect(await loadedFrom()).toBeGreaterThan(0);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    expect(await loadedFrom()).toBeNaN();
    expect(await readdir(join(directory, 'optimised'))).toEqual([]);
  });

  test('loads weights from a file beside the model, of any size', async () => {
    const rows = Number(process.env['PILOTLIGHT_EXTERNAL_ROWS'] ?? 5000);
    const loaded = await load('', { uri: `file:${writeExternalTable(directory, rows)}` });
    const index = { name: 'index', datatype: 'INT64', shape: [2] } as const;
    const data = new Uint8Array(BigInt64Array.of(0n, BigInt(rows - 1)).buffer);
    const y = values(await loaded.infer({ inputs: [{ ...index, data }] }));
    expect([y[0], y.at(-2), y.at(-1)]).toEqual([0, 0, 3]);
  }, 120_000);

  test('makes no batches in mode Off', async () => {
    const loaded = await load('add-one', { mode: 'Off' });
    expect(loaded.facts.batching).toEqual({ enabled: false, reason: 'Batching is off: batching.mode is Off.' });
    expect(loaded.batchLimit).toBe(1);
  });

  test('falls back to CPU where CUDA is missing and CPU is listed after it', async () => {
    const loaded = await load('add-one', { executionProviders: ['CUDA', 'CPU'] });
    expect(loaded.executionProviders).toEqual(['CPU']);
  });

  test.each<[string, string, Settings, string, string]>([
    [
      'a provider that is missing',
      'add-one',
      { executionProviders: ['CUDA'] },
      'ExecutionProviderUnavailable',
      'Add CPU',
    ],
    [
      'an unknown provider',
      'add-one',
      { executionProviders: ['TPU'] },
      'ConfigurationInvalid',
      'did you mean "CPU"? There are CPU, CUDA',
    ],
    ['no provider', 'add-one', { executionProviders: [] }, 'ConfigurationInvalid', 'executionProviders is empty'],
    ['no instances', 'add-one', { instances: 0 }, 'ConfigurationInvalid', 'instances must be at least 1'],
    ['an unknown scheme', '', { uri: 'ftp://a/b' }, 'ConfigurationInvalid', 'ftp'],
    ['a missing file', '', { uri: 'file:/nothing/here' }, 'ModelNotFound', '/nothing/here'],
    ['another digest', 'add-one', { sha256: 'ab'.repeat(32) }, 'ModelDigestMismatch', 'abab'],
    ['a sequence output', 'sequence', {}, 'ModelUnsupported', 'output "list" is a sequence'],
    ['a bfloat16 output', 'bfloat16', {}, 'ModelUnsupported', 'output "y" is of type bfloat16'],
    ['a model that never runs', 'always-fails', {}, 'WarmUpFailed', 'Gather node: indices element out of data bounds'],
  ])('fails on %s with the reason', async (_, fixture, settings, reason, message) => {
    await expect(load(fixture, settings)).rejects.toEqual(failure(reason, message));
  });

  test('fails on what is no ONNX file, without naming paths of its own', async () => {
    server = createServer((_, response) => response.end('<html>not here</html>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
    await expect(load('', { uri })).rejects.toEqual(
      failure('ModelInvalid', `ONNX Runtime cannot load the model at ${uri}: Protobuf parsing failed.`),
    );
    await writeFile(join(directory, 'empty.onnx'), '');
    await expect(load('', { uri: `file:${directory}/empty.onnx` })).rejects.toEqual(
      failure('ModelInvalid', 'ModelProto does not have a graph'),
    );
  });

  test('gives up when it is told to', async () => {
    await expect(load('add-one', { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  });

  test('finishes the run that goes on when it is closed', async () => {
    const loaded = await load('loop');
    const trips: Tensor = {
      name: 'trips',
      datatype: 'INT64',
      shape: [],
      data: new Uint8Array(BigInt64Array.of(2000n).buffer),
    };
    const outcome = Promise.allSettled([loaded.infer({ inputs: [trips] }), loaded.infer({ inputs: [trips] })]);
    await loaded.close();
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});
