import { expect, test } from '@jest/globals';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { ServerTime } from './server-time.ts';

const T0 = Date.UTC(2026, 0, 1);
const header = (milliseconds: number): string => new Date(milliseconds).toUTCString();

test.each<[string, unknown, number]>([
  ['that is minutes ahead', header(T0 + 300_000), 300_500],
  ['that is minutes behind', header(T0 - 300_000), -299_500],
  ['that is the same but for the network', header(T0 - 1000), 0],
  ['that is no date', 'yesterday', 0],
  ['that is not there', undefined, 0],
])('a server’s clock %s', (_name, date, want) => {
  const time = new ServerTime(new ManualClock(T0));
  time.observe(date);
  expect(time.now()).toBe(T0 + want);
});

test('it goes on with the time, and each answer sets it anew', async () => {
  const clock = new ManualClock(T0);
  const time = new ServerTime(clock);
  time.observe(header(T0 + 60_000));
  await clock.advance(10_000);
  expect(time.now()).toBe(T0 + 70_500);
  // The server's clock was set back meanwhile.
  time.observe(header(T0 + 10_000));
  expect(time.now()).toBe(T0 + 10_500);
});

test.each([3_600_000, -3_600_000])('it goes on as before when this machine’s clock jumps by %i ms', async (jump) => {
  const clock = new ManualClock(T0);
  let jumped = 0;
  const time = new ServerTime({
    now: () => clock.now() + jumped,
    monotonic: () => clock.monotonic(),
    after: (milliseconds, callback) => clock.after(milliseconds, callback),
  });
  time.observe(header(T0));
  jumped = jump;
  await clock.advance(3000);
  expect(time.now()).toBe(T0 + 3000);
});
