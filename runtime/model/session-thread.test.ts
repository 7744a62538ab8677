import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findDifference } from '../batching/same-outputs.ts';
import { packInputs } from '../batching/pack-inputs.ts';
import { InferenceError, type Tensor } from '../inference.ts';
import type { SessionSettings } from '../../common/wire/runtime-environment.ts';
import { packBytesElements } from '../protocol/bytes-elements.ts';
import { SessionThread } from './session-thread.ts';
import { startThread } from './start-thread.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const CRASHING = pathToFileURL(join(FIXTURES, 'crashing-worker.ts'));

let thread: SessionThread | undefined;
afterEach(() => thread?.close());

async function start(model: string, settings: SessionSettings = {}, intraOpThreads = 1): Promise<SessionThread> {
  thread = new SessionThread(startThread('test'));
  await thread.create(join(FIXTURES, `${model}.onnx`), { executionProviders: ['CPU'], intraOpThreads, settings });
  return thread;
}

async function run(
  session: SessionThread,
  inputs: readonly Tensor[],
  ...outputs: string[]
): Promise<readonly Tensor[]> {
  return (await session.run(packInputs([inputs]), outputs)).outputs;
}

const numbers = (name: string, datatype: Tensor['datatype'], shape: number[], values: ArrayBufferView): Tensor => ({
  name,
  datatype,
  shape,
  data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});
const text = (...values: (string | number[])[]): Tensor => ({
  name: 'text',
  datatype: 'BYTES',
  shape: [1, values.length],
  data: packBytesElements(values.map((value) => Buffer.from(value as string))),
});

describe('a session in a thread', () => {
  test('runs 64-bit scalars', async () => {
    const [doubled, same] = await run(
      await start('scalars'),
      [
        numbers('a', 'INT64', [], BigInt64Array.of(-(2n ** 53n) - 1n)),
        numbers('b', 'UINT64', [], BigUint64Array.of(2n ** 64n - 1n)),
      ],
      'doubled',
      'same',
    );
    expect(doubled).toEqual(numbers('doubled', 'INT64', [], BigInt64Array.of(-(2n ** 54n) - 2n)));
    expect(same).toEqual(numbers('same', 'UINT64', [], BigUint64Array.of(2n ** 64n - 1n)));
  });

  test('runs halves, bit by bit', async () => {
    const [y] = await run(await start('half'), [numbers('x', 'FP16', [1, 2], Uint16Array.of(0x3c00, 0xbc00))], 'y');
    expect(y).toEqual(numbers('y', 'FP16', [1, 2], Uint16Array.of(0x4000, 0x0000)));
  });

  test('runs booleans', async () => {
    const [opposite] = await run(await start('not'), [numbers('flag', 'BOOL', [2], Uint8Array.of(0, 1))], 'opposite');
    expect(opposite).toEqual(numbers('opposite', 'BOOL', [2], Uint8Array.of(1, 0)));
  });

  test('runs strings, empty and long, with a byte order mark, and refuses what is not UTF-8', async () => {
    const session = await start('strings');
    const words = text('', 'grüße 🕯', '\ufeffmark', 'x'.repeat(100_000));
    const [same] = await run(session, [words], 'same');
    expect(same?.data).toEqual(words.data);
    await expect(run(session, [text('fine', [0xff])], 'same')).rejects.toThrow(
      'Element 1 of input "text" is not valid UTF-8',
    );
  });

  test('runs tensors without elements', async () => {
    const [sum] = await run(
      await start('two-inputs'),
      [numbers('a', 'FP32', [2, 0], new Float32Array()), numbers('b', 'FP32', [2, 0], new Float32Array())],
      'sum',
    );
    expect(sum).toEqual(numbers('sum', 'FP32', [2, 0], new Float32Array()));
  });

  test('gives the outputs that are asked for, in that order', async () => {
    const session = await start('two-inputs');
    const inputs = [numbers('a', 'FP32', [1, 1], Float32Array.of(5)), numbers('b', 'FP32', [1, 1], Float32Array.of(2))];
    const outputs = await run(session, inputs, 'difference', 'sum', 'difference');
    expect(outputs.map(({ name }) => name)).toEqual(['difference', 'sum', 'difference']);
    expect(outputs[0]).toEqual(numbers('difference', 'FP32', [1, 1], Float32Array.of(3)));
  });

  test('says what a run refused, and goes on', async () => {
    const session = await start('lookup');
    const index = (value: bigint): Tensor => numbers('index', 'INT64', [1], BigInt64Array.of(value));
    const refused = run(session, [index(9n)], 'y');
    await expect(refused).rejects.toBeInstanceOf(InferenceError);
    await expect(refused).rejects.toThrow(/^Gather node: indices element out of data bounds, idx=9/);
    await expect(run(session, [index(1n)], 'y')).resolves.toEqual([
      numbers('y', 'FP32', [1, 2], Float32Array.of(2, 3)),
    ]);
  });

  test('finishes its run before it ends', async () => {
    const session = await start('loop');
    const running = run(session, [numbers('trips', 'INT64', [], BigInt64Array.of(5000n))], 'y');
    await session.close();
    await expect(running).resolves.toEqual([numbers('y', 'FP32', [], Float32Array.of(0))]);
  });

  test.each<[SessionSettings, number]>([
    [{ graphOptimizationLevel: 'Disabled', interOpThreads: 2 }, 2],
    [{ graphOptimizationLevel: 'Layout', memoryArena: 'Disabled' }, 1],
    [{ prepacking: 'Disabled', spinning: 'Enabled' }, 2],
  ])('gives the same answers with %j', async (settings, threads) => {
    const row = numbers(
      'x',
      'FP32',
      [1, 64],
      new Float32Array(64).map((_, index) => (index % 5) - 2),
    );
    const usual = await run(await start('matmul'), [row], 'y');
    await thread?.close();
    const set = await run(await start('matmul', settings, threads), [row], 'y');
    expect(findDifference(set, [usual])).toBeUndefined();
  });

  test('names the providers that do not work here', async () => {
    thread = new SessionThread(startThread('test'));
    const { available, missing } = await thread.prepare(['TensorRT', 'CPU']);
    expect(available).toEqual(['CPU']);
    expect(missing).toEqual([
      { provider: 'TensorRT', reason: expect.stringContaining('Failed to load shared library') },
    ]);
  });
});

describe('a thread that dies', () => {
  test('by an error fails its run, tells so, and takes nothing more', async () => {
    thread = new SessionThread(startThread('session-0', CRASHING));
    await expect(thread.run([], [])).rejects.toThrow('The thread "session-0" of the model crashed: out of luck');
    await expect(thread.failed).resolves.toThrow('out of luck');
    await expect(thread.run([], [])).rejects.toThrow('out of luck');
  });

  test('by exiting names the exit code', async () => {
    thread = new SessionThread(startThread('session-0', CRASHING));
    await expect(thread.create('', { executionProviders: ['CPU'], intraOpThreads: 1 })).rejects.toThrow(
      'ended with exit code 3',
    );
  });
});
