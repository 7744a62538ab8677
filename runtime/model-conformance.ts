/** What every model does, the one of ONNX and the fake of the server's tests alike. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Clock } from '../common/platform/clock.ts';
import { ExpiredError, InferenceError, type InferenceRequest, type Model } from './inference.ts';

export interface ModelSubject {
  readonly model: Model;
  readonly clock: Clock;
  /** Begins a run that goes on until `release`; resolves when it has begun, to its result. */
  hold(): Promise<{ readonly answer: Promise<unknown> }>;
  /** Lets runs end; nothing to do where they do by themselves. */
  release(): void;
  /** A request that is answered, or with `fails` one that the run refuses. */
  request(fails?: 'fails'): InferenceRequest;
  /** Lets so much time pass. */
  pass(milliseconds: number): Promise<void>;
}

export function describeModel(title: string, start: () => Promise<ModelSubject>): void {
  describe(title, () => {
    let subject: ModelSubject | undefined;
    afterEach(async () => {
      subject?.release();
      await subject?.model.close();
    });
    const begin = async (): Promise<ModelSubject> => (subject = await start());

    test('answers with the outputs that it declares, and the figures of the run', async () => {
      const { model, request } = await begin();
      const { outputs, timing, batch } = await model.infer(request());
      expect(outputs.map(({ name }) => name)).toEqual(model.facts.outputs.map(({ name }) => name));
      expect(Object.keys(timing).sort()).toEqual(['compute', 'computeInput', 'computeOutput', 'queue']);
      expect(batch).toEqual({ requests: 1, rows: expect.any(Number), first: true });
      expect(model.load).toEqual({ waiting: 0, running: 0 });
      expect(model.batchLimit).toBeGreaterThanOrEqual(1);
    });

    test('fails a request with InferenceError, and goes on', async () => {
      const { model, request } = await begin();
      await expect(model.infer(request('fails'))).rejects.toBeInstanceOf(InferenceError);
      expect((await model.infer(request())).outputs).toHaveLength(model.facts.outputs.length);
    });

    test('counts what waits and what runs', async () => {
      const { model, hold, release, request } = await begin();
      const { answer } = await hold();
      const waiting = model.infer(request());
      expect(model.load).toEqual({ waiting: 1, running: 1 });
      release();
      await Promise.all([answer, waiting]);
      expect(model.load).toEqual({ waiting: 0, running: 0 });
    });

    test('knows of a run that goes on whether it began after a moment', async () => {
      const { model, clock, hold, release, pass } = await begin();
      const before = clock.monotonic();
      await pass(1);
      const { answer } = await hold();
      await pass(1);
      expect([model.hasRunSince(before), model.hasRunSince(clock.monotonic())]).toEqual([true, false]);
      release();
      await answer;
      expect(model.hasRunSince(before)).toBe(false);
    });

    test('drops a request whose signal aborts while it waits, and at once one whose signal has', async () => {
      const { model, hold, request } = await begin();
      await hold();
      const abort = new AbortController();
      const waiting = model.infer({ ...request(), signal: abort.signal });
      const reason = new Error('gone');
      abort.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(model.infer({ ...request(), signal: abort.signal })).rejects.toBe(reason);
      expect(model.load).toEqual({ waiting: 0, running: 1 });
    });

    test('drops a request whose deadline passes while it waits, and at once one whose deadline has', async () => {
      const { model, clock, hold, pass, request } = await begin();
      await hold();
      const waiting = model.infer({ ...request(), deadline: clock.monotonic() + 5 });
      const failure = waiting.catch((error: unknown) => error);
      await pass(5);
      expect(await failure).toBeInstanceOf(ExpiredError);
      await expect(model.infer({ ...request(), deadline: clock.monotonic() })).rejects.toThrow(
        'Request timeout expired',
      );
      expect(model.load).toEqual({ waiting: 0, running: 1 });
    });

    test('runs the urgent first', async () => {
      const { model, hold, release, request } = await begin();
      await hold();
      const order: string[] = [];
      const infer = (name: string, priority?: number): Promise<unknown> =>
        model.infer({ ...request(), ...(priority !== undefined && { priority }) }).then(() => order.push(name));
      const all = [infer('late', 8), infer('usual'), infer('usual too', 0), infer('urgent', 1)];
      release();
      await Promise.all(all);
      expect(order).toEqual(['urgent', 'usual', 'usual too', 'late']);
    });

    test('rejects what waits when it is closed, ends after its run, and takes nothing more', async () => {
      const { model, hold, release, request } = await begin();
      const { answer } = await hold();
      const waiting = model.infer(request());
      const closed = model.close();
      await expect(waiting).rejects.toThrow('closed');
      await expect(model.infer(request())).rejects.not.toBeInstanceOf(InferenceError);
      release();
      await Promise.all([answer, closed]);
    });
  });
}
