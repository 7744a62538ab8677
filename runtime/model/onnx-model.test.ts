import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../common/platform/clock.ts';
import type { ModelFacts } from '../../common/wire/announcement.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import {
  ExpiredError,
  InferenceError,
  type InferenceRequest,
  type InferenceResult,
  type Tensor,
} from '../inference.ts';
import { FakeSessionWorker, type FakeRun } from './fake-session-worker.ts';
import { OnnxModel } from './onnx-model.ts';

let clock: ManualClock;
let workers: FakeSessionWorker[];
let measured: ModelFacts['batching'][];

beforeEach(() => {
  clock = new ManualClock();
  workers = [];
  measured = [];
});

afterEach(() => {
  expect(clock.pending).toBe(0);
});

interface Settings {
  readonly enabled?: boolean;
  readonly maxBatchSize?: number;
  readonly maxDelayMilliseconds?: number;
  readonly instances?: number;
  readonly inputs?: readonly string[];
  readonly clock?: Clock;
  readonly measure?: boolean;
}

function makeModel(settings: Settings = {}): OnnxModel {
  const { enabled = true, maxBatchSize = 4, maxDelayMilliseconds = 0, instances = 1, inputs = ['x'] } = settings;
  workers = Array.from({ length: instances }, () => new FakeSessionWorker());
  return new OnnxModel({
    facts: {
      sha256: '',
      sizeBytes: 0,
      inputs: inputs.map((name) => ({ name, datatype: 'UINT8', shape: [-1, -1] })),
      outputs: [{ name: 'y', datatype: 'UINT8', shape: [-1, -1] }],
      batching: { enabled, reason: '' },
    },
    executionProviders: ['CPU'],
    phases: {},
    workers,
    hasRows: true,
    limits: { maxBatchSize, maxDelayMilliseconds },
    longestRun: 5000,
    clock: settings.clock ?? clock,
    ...(settings.measure === true && {
      makeRows: (rows: number) => [tensor(Array.from({ length: rows }, () => [7]))],
      onMeasured: (batching: ModelFacts['batching']) => measured.push(batching),
    }),
  });
}

const tensor = (rows: number[][], name = 'x'): Tensor => ({
  name,
  datatype: 'UINT8',
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Uint8Array.from(rows.flat()),
});

const request = (...rows: number[][]): InferenceRequest => ({ inputs: [tensor(rows)] });
const run = (index: number, worker = 0): FakeRun => workers[worker]!.runs[index]!;
const sent = (index: number): number[] => [...run(index).inputs[0]!.data];
const values = (result: InferenceResult): number[] => [...(result.outputs[0]?.data ?? [])];
const settle = (): Promise<void> => clock.advance(0);

describe('OnnxModel', () => {
  test('runs the first request at once and then all that queued up meanwhile together', async () => {
    const model = makeModel();
    const answers = [request([1]), request([2], [3]), request([4])].map((one) => model.infer(one));
    expect(model.load).toEqual({ waiting: 2, running: 1 });
    run(0).succeed();
    await settle();
    expect(sent(1)).toEqual([2, 3, 4]);
    expect(run(1).inputs[0]?.shape).toEqual([3, 1]);
    run(1).succeed();
    const [first, second, third] = await Promise.all(answers);
    expect([first, second, third].map((result) => values(result!))).toEqual([[1], [2, 3], [4]]);
    expect(second?.outputs[0]).toMatchObject({ name: 'y', datatype: 'UINT8', shape: [2, 1] });
    expect([first, second, third].map((result) => result?.batch)).toEqual([
      { requests: 1, rows: 1, first: true },
      { requests: 2, rows: 3, first: true },
      { requests: 2, rows: 3, first: false },
    ]);
    expect(model.load).toEqual({ waiting: 0, running: 0 });
  });

  test('gives the session the memory of inputs that it may take and that run alone, and copies all others', async () => {
    const model = makeModel();
    const inputs = [1, 2, 3, 4].map((value) => [tensor([[value]])]);
    const answers = inputs.map((given, index) => model.infer({ inputs: given, mayTakeInputs: index !== 3 }));
    run(0).succeed();
    await settle();
    expect(sent(1)).toEqual([2, 3, 4]);
    run(1).succeed();
    await Promise.all(answers);
    const last = [tensor([[5]])];
    const answer = model.infer({ inputs: last });
    run(2).succeed();
    expect(values(await answer)).toEqual([5]);
    expect([...inputs, last].map(([given]) => given?.data.byteLength)).toEqual([0, 1, 1, 1, 1]);
  });

  test('measures the wait in the queue and passes on what the session measured', async () => {
    const model = makeModel();
    const [, second] = [model.infer(request([1])), model.infer(request([2]))];
    await clock.advance(7);
    run(0).succeed();
    await settle();
    run(1).succeed();
    await expect(second).resolves.toMatchObject({
      timing: { queue: 7, computeInput: 1, compute: 2, computeOutput: 3 },
    });
  });

  test.each<[string, InferenceRequest, InferenceRequest]>([
    ['another width', request([1]), request([1, 2])],
    ['other outputs wanted', request([1]), { ...request([2]), outputs: ['y'] }],
    ['another datatype', request([1]), { inputs: [{ ...tensor([[2]]), datatype: 'BOOL' }] }],
    ['no rows', request([1]), { inputs: [{ ...tensor([]), shape: [0, 1] }] }],
  ])('does not batch requests with %s', async (_, one, other) => {
    const model = makeModel();
    const answers = [request([0]), one, other].map((each) => model.infer(each));
    for (let index = 0; index < 3; index += 1) {
      run(index).succeed();
      await settle();
    }
    const results = await Promise.all(answers);
    expect(results.map(({ batch }) => batch.requests)).toEqual([1, 1, 1]);
  });

  test('does not batch a request whose inputs have different numbers of rows', async () => {
    const model = makeModel({ inputs: ['x', 'z'] });
    const inputs = [tensor([[1]]), tensor([[1], [2]], 'z')];
    const answers = [{ inputs }, { inputs }].map((each) => model.infer(each));
    run(0).succeed();
    await settle();
    run(1).succeed();
    expect((await Promise.all(answers)).map(({ batch }) => batch.requests)).toEqual([1, 1]);
  });

  test('runs every request alone when batching is off', async () => {
    const model = makeModel({ enabled: false });
    const answers = [request([1]), request([2]), request([3])].map((one) => model.infer(one));
    for (let index = 0; index < 3; index += 1) {
      expect(sent(index)).toEqual([index + 1]);
      run(index).succeed();
      await settle();
    }
    expect((await Promise.all(answers)).map(values)).toEqual([[1], [2], [3]]);
  });

  test('waits for company as long as it may', async () => {
    const model = makeModel({ maxDelayMilliseconds: 5, maxBatchSize: 2 });
    const alone = model.infer(request([1]));
    expect(workers[0]?.runs).toHaveLength(0);
    await clock.advance(5);
    run(0).succeed();
    await alone;
    const pair = [model.infer(request([2])), model.infer(request([3]))];
    expect(sent(1)).toEqual([2, 3]);
    run(1).succeed();
    await Promise.all(pair);
  });

  test('uses every session', () => {
    const model = makeModel({ instances: 2 });
    void model.infer(request([1]));
    void model.infer(request([2]));
    expect(workers.map(({ runs }) => runs.length)).toEqual([1, 1]);
    expect(model.load.running).toBe(2);
  });

  test('brings inputs into the order of the model', () => {
    const model = makeModel({ inputs: ['a', 'b'] });
    void model.infer({ inputs: [tensor([[2]], 'b'), tensor([[1]], 'a')] });
    expect(run(0).inputs.map(({ name, data }) => [name, ...data])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('drops a request that gives up while it waits, and finishes one whose run began', async () => {
    const model = makeModel();
    const [began, waits] = [new AbortController(), new AbortController()];
    const first = model.infer({ ...request([1]), signal: began.signal });
    const second = model.infer({ ...request([2]), signal: waits.signal });
    began.abort(new Error('gone'));
    waits.abort(new Error('gone too'));
    await expect(second).rejects.toThrow('gone too');
    expect(model.load).toEqual({ waiting: 0, running: 1 });
    run(0).succeed();
    await expect(first).resolves.toBeDefined();
    await expect(model.infer({ ...request([3]), signal: waits.signal })).rejects.toThrow('gone too');
    expect(workers[0]?.runs).toHaveLength(1);
  });

  test('lets only the request fail whose data the run refuses', async () => {
    const model = makeModel();
    const gone = new AbortController();
    const answers = [request([0]), request([1]), request([66]), { ...request([3]), signal: gone.signal }].map((one) =>
      model.infer(one),
    );
    const outcome = Promise.allSettled(answers);
    run(0).succeed();
    await settle();
    expect(sent(1)).toEqual([1, 66, 3]);
    gone.abort(new Error('gone'));
    run(1).fail(new InferenceError('no 66'));
    await settle();
    expect(sent(2)).toEqual([1]);
    run(2).succeed();
    await settle();
    run(3).fail(new InferenceError('no 66'));
    const settled = await outcome;
    expect(settled.map((one) => (one.status === 'fulfilled' ? values(one.value) : String(one.reason)))).toEqual([
      [0],
      [1],
      'InferenceError: no 66',
      'Error: gone',
    ]);
  });

  test('does not run again what expired while its batch failed', async () => {
    const model = makeModel();
    const first = model.infer(request([0]));
    const answers = [
      model.infer({ ...request([1]), deadline: 50 }).catch((error: unknown) => error),
      model.infer(request([2])),
      model.infer(request([66])).catch((error: unknown) => error),
    ];
    await clock.advance(40);
    run(0).succeed();
    await first;
    expect(sent(1)).toEqual([1, 2, 66]);
    await clock.advance(60);
    run(1).fail(new InferenceError('no 66'));
    await settle();
    expect(sent(2)).toEqual([2]);
    run(2).succeed();
    await settle();
    run(3).fail(new InferenceError('no 66'));
    expect(await Promise.all(answers)).toEqual([
      expect.any(ExpiredError),
      expect.objectContaining({ outputs: expect.anything() }),
      expect.any(InferenceError),
    ]);
  });

  test('does not let a request wait for company until its deadline has passed', async () => {
    const model = makeModel({ maxDelayMilliseconds: 100 });
    const answer = model.infer({ ...request([1]), deadline: 50 });
    run(0).succeed();
    await answer;
  });

  test('runs a failed batch again in halves, at once, before what came later and after what is urgent', async () => {
    const model = makeModel({ maxBatchSize: 8, maxDelayMilliseconds: 100 });
    const values = [1, 2, 3, 4, 5, 66, 7, 8];
    const outcomes = values.map((value) => model.infer(request([value])).catch(() => undefined));
    const later = model.infer(request([9], [9], [9], [9], [9], [9], [9], [9]));
    const urgent = model.infer({ ...request([10]), priority: 1, deadline: 1 });
    run(0).fail(new InferenceError('no 66'));
    await settle();
    run(1).succeed();
    await urgent;
    for (let index = 2; index < 9; index += 1) {
      if (sent(index).includes(66)) run(index).fail(new InferenceError('no 66'));
      else run(index).succeed();
      await settle();
    }
    await Promise.all([...outcomes, later]);
    expect(workers[0]?.runs.map((_, index) => sent(index))).toEqual([
      values,
      [10],
      [1, 2, 3, 4],
      [5, 66, 7, 8],
      [5],
      [66],
      [7],
      [8],
      [9, 9, 9, 9, 9, 9, 9, 9],
    ]);
  });

  test('whichever requests of a batch fail it, these fail and no other does, after a bounded number of runs', async () => {
    const batches = fc
      .tuple(fc.integer({ min: 2, max: 32 }), fc.integer({ min: 1, max: 3 }))
      .chain(([size, instances]) =>
        fc.record({
          size: fc.constant(size),
          instances: fc.constant(instances),
          bad: fc.subarray([...Array(size).keys()]),
        }),
      );
    await fc.assert(
      fc.asyncProperty(batches, async ({ size, instances, bad }) => {
        const model = makeModel({ maxBatchSize: size, instances });
        // While these run, the others queue up.
        const first = Array.from({ length: instances }, () => model.infer(request([200])));
        const answers = Array.from({ length: size }, (_, value) => model.infer(request([value])));
        const outcomes = Promise.allSettled(answers);
        let runs = 0;
        for (const ended = workers.map(() => 0); workers.some(({ runs: all }, at) => all.length > ended[at]!);) {
          for (const [at, worker] of workers.entries()) {
            const going = worker.runs[ended[at]!];
            if (going === undefined) continue;
            ended[at]! += 1;
            const given = [...going.inputs[0]!.data];
            if (!given.includes(200)) runs += 1;
            if (given.some((value) => bad.includes(value))) going.fail(new InferenceError('bad'));
            else going.succeed();
            await settle();
          }
        }
        await Promise.all(first);
        expect((await outcomes).map((one) => (one.status === 'fulfilled' ? values(one.value) : 'failed'))).toEqual(
          answers.map((_, value) => (bad.includes(value) ? 'failed' : [value])),
        );
        expect(runs).toBeLessThanOrEqual(Math.min(2 * size - 1, 1 + 2 * bad.length * Math.ceil(Math.log2(size))));
        await model.close();
      }),
    );
  });

  test('runs requests alone if their batch came out with another number of rows', async () => {
    const model = makeModel();
    const answers = [request([0]), request([1]), request([2])].map((one) => model.infer(one));
    run(0).succeed();
    await settle();
    run(1).succeed([{ name: 'y', datatype: 'UINT8', shape: [1, 1], data: Uint8Array.of(9) }]);
    await settle();
    run(2).succeed();
    await settle();
    run(3).succeed();
    expect((await Promise.all(answers)).map(values)).toEqual([[0], [1], [2]]);
  });

  test('refuses data that does not fill its shape, which would move the rows of others', async () => {
    const model = makeModel();
    const wrong = { ...tensor([[1]]), data: Uint8Array.of(1, 2) };
    await expect(model.infer({ inputs: [wrong] })).rejects.toThrow(
      'input "x" has 2 bytes, which are not the 1 elements',
    );
    await expect(model.infer({ inputs: [] })).rejects.toThrow('An input is missing.');
  });

  test('tells of a dead session and rejects everything from then on', async () => {
    const model = makeModel({ instances: 2 });
    const answers = Promise.allSettled([request([1]), request([2]), request([3])].map((one) => model.infer(one)));
    workers[0]?.die(new Error('crashed'));
    await expect(model.failed).resolves.toThrow('crashed');
    await settle();
    run(0, 1).succeed();
    expect((await answers).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    await expect(model.infer(request([4]))).rejects.toThrow('crashed');
  });

  test('rejects what waits when it is closed, and finishes what runs', async () => {
    const model = makeModel({ maxDelayMilliseconds: 5 });
    const running = model.infer({ inputs: [tensor([[1], [1], [1], [1]])] });
    const waiting = Promise.allSettled([model.infer(request([2]))]);
    const closed = model.close();
    run(0).succeed();
    await running;
    expect(await waiting).toEqual([{ status: 'rejected', reason: new Error('The model is closed.') }]);
    await closed;
    expect(workers[0]?.closed).toBe(true);
  });

  test('joins nothing to a request without rows where batching is off', async () => {
    const model = makeModel({ enabled: false });
    const empty = { inputs: [{ name: 'x', datatype: 'UINT8', shape: [0, 2], data: new Uint8Array() }] } as const;
    const answers = [model.infer(request([1])), model.infer(empty), model.infer(request([1, 2, 3]))];
    for (let index = 0; index < 3; index += 1) {
      run(index).succeed();
      await settle();
    }
    expect((await Promise.all(answers)).map(({ batch }) => batch.requests)).toEqual([1, 1, 1]);
  });

  test('runs the urgent first; 0 and none are the default', async () => {
    const model = makeModel({ maxBatchSize: 1 });
    const priorities = [undefined, 5, 0, 1];
    const answers = priorities.map((priority, index) =>
      model.infer({ ...request([index]), ...(priority !== undefined && { priority }) }),
    );
    for (let index = 0; index < priorities.length; index += 1) {
      run(index).succeed();
      await settle();
    }
    await Promise.all(answers);
    expect([0, 1, 2, 3].map((index) => sent(index)[0])).toEqual([0, 3, 2, 1]);
  });

  test('drops a request whose deadline passes while it waits, and runs it never', async () => {
    const model = makeModel({ maxBatchSize: 1 });
    const first = model.infer({ ...request([1]), deadline: 50 });
    const expired = model.infer({ ...request([2]), deadline: 50 });
    const later = model.infer({ ...request([3]), deadline: 51 });
    const failure = expired.catch((error: unknown) => error);
    await clock.advance(50);
    expect(await failure).toBeInstanceOf(ExpiredError);
    expect(model.load).toEqual({ waiting: 1, running: 1 });
    // A run that began in time goes on past its deadline.
    run(0).succeed();
    await settle();
    run(1).succeed();
    await Promise.all([first, later]);
    expect([sent(0), sent(1)]).toEqual([[1], [3]]);
    expect(workers[0]?.runs).toHaveLength(2);
  });

  test('refuses what has expired before it came', async () => {
    const model = makeModel();
    await clock.advance(10);
    await expect(model.infer({ ...request([1]), deadline: 10 })).rejects.toThrow('Request timeout expired');
    expect(workers[0]?.runs).toHaveLength(0);
  });

  test('does not run what expired while this thread was too busy for its timers', async () => {
    const late: Clock = { now: () => 0, monotonic: () => time, after: () => () => undefined };
    let time = 0;
    const model = makeModel({ maxBatchSize: 1, clock: late });
    const first = model.infer(request([1]));
    const expired = model.infer({ ...request([2]), deadline: 5 }).catch((error: unknown) => error);
    const third = model.infer(request([3]));
    time = 6;
    run(0).succeed();
    await first;
    expect(await expired).toBeInstanceOf(ExpiredError);
    expect(sent(1)).toEqual([3]);
    run(1).succeed();
    await third;
  });
});

describe('a model that measures what batches pay', () => {
  /** Answers runs of so many rows in so many milliseconds until none is left, and gives the sizes of those that were made up. */
  async function answerAll(milliseconds: (rows: number) => number): Promise<number[]> {
    const sizes: number[] = [];
    for (let index = 0; index < (workers[0]?.runs.length ?? 0); index += 1) {
      const { inputs } = run(index);
      const rows = inputs[0]?.shape[0] ?? 0;
      if (inputs[0]?.data[0] === 7) sizes.push(rows);
      run(index).succeed(undefined, milliseconds(rows));
      await settle();
    }
    return sizes;
  }

  test('does so once nobody has asked for a second, and then keeps to it', async () => {
    const model = makeModel({ measure: true, maxBatchSize: 4 });
    await clock.advance(999);
    expect(workers[0]?.runs).toHaveLength(0);
    await clock.advance(1);
    expect(await answerAll((rows) => rows)).toEqual(Array.from({ length: 6 }, () => [1, 2, 4]).flat());
    expect(measured).toEqual([model.facts.batching]);
    expect(model.facts.batching).toMatchObject({ enabled: false, maxBatchSize: 1 });
    const answers = [1, 2, 3].map((value) => model.infer(request([value])));
    await answerAll(() => 1);
    const results = await Promise.all(answers);
    expect(results.map(({ batch }) => batch.requests)).toEqual([1, 1, 1]);
  });

  test('makes batches no larger than pays', async () => {
    const model = makeModel({ measure: true, maxBatchSize: 8 });
    await clock.advance(1000);
    await answerAll((rows) => Math.max(2, rows));
    expect(model.facts.batching).toMatchObject({ enabled: true, maxBatchSize: 2 });
    const answers = [1, 2, 3, 4, 5].map((value) => model.infer(request([value])));
    await answerAll(() => 1);
    const results = await Promise.all(answers);
    expect(results.map(({ batch }) => batch.rows)).toEqual([1, 2, 2, 2, 2]);
  });

  test('lets requests go between its runs, and begins anew with its second', async () => {
    const model = makeModel({ measure: true });
    await clock.advance(1000);
    const answer = model.infer(request([1]));
    run(0).succeed();
    await settle();
    expect(sent(1)).toEqual([1]);
    run(1).succeed();
    await answer;
    await settle();
    expect(workers[0]?.runs).toHaveLength(2);
    await clock.advance(1000);
    expect(workers[0]?.runs).toHaveLength(3);
    const closed = model.close();
    run(2).succeed();
    await closed;
  });

  test('measures between the runs of requests if it is never idle', async () => {
    const model = makeModel({ measure: true, maxBatchSize: 2 });
    const answers: Promise<InferenceResult>[] = [];
    for (let index = 0; index < 60 && measured.length === 0; index += 1) {
      answers.push(model.infer(request([1])));
      await clock.advance(500);
      run(index).succeed(undefined, 1);
      await settle();
    }
    expect(measured).toHaveLength(1);
    const kinds = workers[0]!.runs.map(({ inputs }) => inputs[0]?.data[0] === 7);
    const first = kinds.indexOf(true);
    expect(first).toBe(20);
    // A run of the measurement, then one of requests, and so on.
    expect(kinds.slice(first, first + 23)).toEqual(Array.from({ length: 23 }, (_, index) => index % 2 === 0));
    for (let index = 0; index < workers[0]!.runs.length; index += 1) {
      run(index).succeed();
      await settle();
    }
    await Promise.all(answers);
    await model.close();
  });

  test('has failed if a run of made-up rows does not end', async () => {
    const model = makeModel({ measure: true });
    await clock.advance(1000);
    const waiting = model.infer(request([1])).catch((error: unknown) => error);
    await clock.advance(5000);
    await expect(model.failed).resolves.toThrow('A run of 1 made-up rows went on for more than 5 s.');
    expect(await waiting).toBe(await model.failed);
    run(0).succeed();
  });

  test('makes no batches if the made-up rows fail', async () => {
    const model = makeModel({ measure: true });
    await clock.advance(1000);
    run(0).fail(new InferenceError('no'));
    await settle();
    await answerAll(() => 1);
    expect(model.facts.batching).toMatchObject({ enabled: false, reason: expect.stringContaining('nobody measured') });
  });
});
