import { expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { Execution } from './execution.ts';

function setup(): { execution: Execution; clock: ManualClock; events: string[] } {
  const clock = new ManualClock();
  const events: string[] = [];
  const execution = new Execution({
    clock,
    timeout: 100,
    onTimeout: () => events.push('timeout'),
    onHung: () => events.push('hung'),
    onEnd: () => events.push('end'),
  });
  return { execution, clock, events };
}

test('ends when its run is over and its answer is written, and leaves no timer', async () => {
  const { execution, clock, events } = setup();
  await expect(execution.run(() => Promise.resolve(1))).resolves.toBe(1);
  expect(events).toEqual([]);
  execution.close();
  expect(events).toEqual(['end']);
  expect(clock.pending).toBe(0);
});

test('keeps its place after a timeout until the run ends', async () => {
  const { execution, clock, events } = setup();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const run = execution.run(() => promise);
  await clock.advance(100);
  execution.close();
  expect(events).toEqual(['timeout']);
  await clock.advance(99);
  resolve(undefined);
  await run;
  expect(events).toEqual(['timeout', 'end']);
  await clock.advance(1000);
  expect(events).toEqual(['timeout', 'end']);
});

test('keeps its place when the client leaves until other work on it ends', async () => {
  const { execution, clock, events } = setup();
  const { promise, resolve } = Promise.withResolvers<number>();
  const held = execution.hold(promise);
  execution.close();
  expect(events).toEqual([]);
  resolve(1);
  expect(await held).toBe(1);
  expect(events).toEqual(['end']);
  expect(clock.pending).toBe(0);
});

test('is hung when its run goes on past twice the timeout, also when the client has left', async () => {
  const { execution, clock, events } = setup();
  void execution.run(() => new Promise(() => undefined));
  execution.close();
  await clock.advance(200);
  expect(events).toEqual(['timeout', 'hung']);
});

test.each(['leaves', 'is timed out'])('what waits is dropped when the client %s', async (how) => {
  const { execution, clock, events } = setup();
  const run = execution.run(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      }),
  );
  const outcome = run.catch((error: unknown) => (error as Error).message);
  if (how === 'leaves') execution.close();
  else await clock.advance(100);
  expect(await outcome).toBe(how === 'leaves' ? 'The client left.' : 'The execution timed out.');
  execution.close();
  expect(events.at(-1)).toBe('end');
  expect(clock.pending).toBe(0);
});

test('times out while its body is still on the way, and is not hung then', async () => {
  const { clock, events } = setup();
  await clock.advance(200);
  expect(events).toEqual(['timeout']);
});

test('runs nothing for a client that is gone, and ends once', async () => {
  const { execution, events } = setup();
  execution.close();
  execution.close();
  await expect(execution.run(() => Promise.resolve(1))).rejects.toThrow('The client left before the run.');
  expect(events).toEqual(['end']);
});
