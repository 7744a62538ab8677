import { expect, test } from '@jest/globals';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { kept } from './kept.ts';

test('is asked for once by all, and anew before it expires', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const get = kept(() => Promise.resolve({ number: ++asked, expiresAt: clock.now() + 1000 }), clock, 100);
  await expect(Promise.all([get(), get()])).resolves.toMatchObject([{ number: 1 }, { number: 1 }]);
  await clock.advance(899);
  await expect(get()).resolves.toMatchObject({ number: 1 });
  await clock.advance(1);
  await expect(Promise.all([get(), get()])).resolves.toMatchObject([{ number: 2 }, { number: 2 }]);
});

test('is asked for anew after a failure, and never if it does not expire', async () => {
  const clock = new ManualClock();
  const answers = [() => Promise.reject(new Error('not now')), () => Promise.resolve({})];
  const get = kept(() => (answers.shift() ?? (() => Promise.reject(new Error('again'))))(), clock, 100);
  await expect(get()).rejects.toThrow('not now');
  await expect(get()).resolves.toEqual({});
  await clock.advance(1e12);
  await expect(get()).resolves.toEqual({});
});
