/** What every session worker does, the thread with ONNX Runtime and the fake of the tests alike. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { InferenceError } from '../inference.ts';
import type { SessionTensor, SessionWorker } from './session-worker.ts';

/** A session of `lookup.onnx`: an index below 4 gives y, two numbers; any other is refused. */
export interface SessionSubject {
  readonly worker: SessionWorker;
  /** Lets the run that goes on end; nothing to do for one that ends by itself. */
  finish(): void;
}

export function describeSessionWorker(title: string, start: () => Promise<SessionSubject>): void {
  describe(title, () => {
    let subject: SessionSubject | undefined;
    afterEach(() => subject?.worker.close());

    const index = (value: number): SessionTensor[] => [
      { name: 'index', datatype: 'INT64', shape: [1], data: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer) },
    ];
    const begin = async (): Promise<SessionSubject> => (subject = await start());

    test('gives what was asked for by name, with the time it took', async () => {
      const { worker, finish } = await begin();
      const running = worker.run(index(1), ['y']);
      finish();
      const { outputs, timing } = await running;
      expect(outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual([
        { name: 'y', datatype: 'FP32', shape: [1, 2] },
      ]);
      expect([...new Float32Array(outputs[0]?.data.buffer ?? new ArrayBuffer())]).toEqual([2, 3]);
      expect(Object.values(timing).every((milliseconds) => milliseconds >= 0)).toBe(true);
      expect(Object.keys(timing).sort()).toEqual(['compute', 'computeInput', 'computeOutput']);
    });

    test('takes the memory of its inputs', async () => {
      const { worker, finish } = await begin();
      const inputs = index(1);
      const running = worker.run(inputs, ['y']);
      expect(inputs[0]?.data.byteLength).toBe(0);
      finish();
      await running;
    });

    test('refuses bad inputs with InferenceError, and goes on', async () => {
      const { worker, finish } = await begin();
      const refused = worker.run(index(9), ['y']);
      finish();
      await expect(refused).rejects.toBeInstanceOf(InferenceError);
      const good = worker.run(index(0), ['y']);
      finish();
      expect((await good).outputs).toHaveLength(1);
    });

    test('does one run at a time', async () => {
      const { worker, finish } = await begin();
      const first = worker.run(index(1), ['y']);
      await expect(worker.run(index(1), ['y'])).rejects.toThrow('one');
      finish();
      await first;
    });

    test('ends only after its run, is not said to have failed by that, and does nothing more', async () => {
      const { worker, finish } = await begin();
      const running = worker.run(index(1), ['y']);
      const order: string[] = [];
      const ran = running.then(() => order.push('ran'));
      const closed = worker.close().then(() => order.push('closed'));
      finish();
      await Promise.all([ran, closed]);
      expect(order).toEqual(['ran', 'closed']);
      await expect(worker.run(index(1), ['y'])).rejects.not.toBeInstanceOf(InferenceError);
      expect(await Promise.race([worker.failed, Promise.resolve('alive')])).toBe('alive');
    });
  });
}
