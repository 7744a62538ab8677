import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { collectProcessMetrics } from './process-metrics.ts';

test('exports memory and CPU of the process, and no gauge that is named like a counter', () => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  // prom-client's own types call the type a number.
  const metrics = registry.getMetricsAsArray() as unknown as { readonly name: string; readonly type: string }[];
  const names = metrics.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['process_resident_memory_bytes', 'process_cpu_seconds_total']));
  expect(metrics.filter(({ name, type }) => name.endsWith('_total') && type !== 'counter')).toEqual([]);
});
