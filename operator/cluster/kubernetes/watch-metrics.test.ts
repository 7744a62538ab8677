import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { watchMetrics } from './watch-metrics.ts';

test('tells the time of the last contact of each watch, which stays while the server is silent', async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const registry = new Registry();
  let watches = [{ name: 'pods', synced: true, lastContact: 5_000 }];
  watchMetrics(registry, clock, () => watches);
  const read = async (): Promise<unknown> =>
    (await registry.getMetricsAsJSON())[0]?.values.map(({ value, labels }) => [labels, value]);
  expect(await read()).toEqual([[{ watch: 'pods' }, 1_700_000_005]]);
  await clock.advance(60_000);
  expect(await read()).toEqual([[{ watch: 'pods' }, 1_700_000_005]]);
  watches = [];
  expect(await read()).toEqual([]);
});
