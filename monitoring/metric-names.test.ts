import { expect, test } from '@jest/globals';
import { metricNames } from './metric-names.ts';

test.each([
  ['up', ['up']],
  ['sum by (namespace, code) (rate(a_total{b="c_total", d=~"e(f)"}[5m])) > 0', ['a_total']],
  [
    'histogram_quantile(0.95, sum by (le) (increase(a_bucket[$__range]))) > 1e6 and on (job, instance) (b or c)',
    ['a_bucket', 'b', 'c'],
  ],
  ['x:y:ratio_rate1h > 14.4 * 0.01\n and\nsum(a) without (pod) >= 5', ['x:y:ratio_rate1h', 'a']],
  ['time() - t_seconds', ['t_seconds']],
  ['absent(a == 1) or vector(0)', ['a']],
  ['a / ignoring (code) group_left b', ['a', 'b']],
])('%s', (expression, names) => {
  expect(metricNames(expression)).toEqual(names);
});
