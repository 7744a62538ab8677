import { expect, test } from '@jest/globals';
import { modelFunction } from '../controllers/object-fixtures.ts';
import { scalingSettings } from './scaling-settings.ts';

test.each([
  { metric: 'Concurrency', target: undefined, limit: 0, want: 8 },
  { metric: 'Concurrency', target: undefined, limit: 4, want: 4 },
  { metric: 'Concurrency', target: 2, limit: 4, want: 2 },
  { metric: 'Concurrency', target: 6, limit: 4, want: 4 },
  { metric: 'RequestsPerSecond', target: undefined, limit: 4, want: 200 },
  { metric: 'RequestsPerSecond', target: 50, limit: 4, want: 50 },
] as const)('$metric with the target $target and the limit $limit: a pod carries $want', (row) => {
  const { spec } = modelFunction();
  const settings = scalingSettings({
    ...spec,
    concurrencyLimit: row.limit,
    scaling: { ...spec.scaling, metric: row.metric, ...(row.target === undefined ? {} : { target: row.target }) },
  });
  expect(settings.target).toBe(row.want);
});
