import perfHooks from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
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

test('counts how long the event loop was at work', async () => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const seconds = async (state: string): Promise<number> => {
    const text = await registry.getSingleMetricAsString('nodejs_eventloop_time_seconds_total');
    return Number(new RegExp(`state="${state}"} (.*)`).exec(text)?.[1]);
  };
  await turn();
  const before = await seconds('active');
  const start = performance.now();
  while (performance.now() - start < 50);
  expect(await seconds('active')).toBeGreaterThanOrEqual(before + 0.05);
  expect(await seconds('idle')).toBeGreaterThanOrEqual(0);
});

test('has no timer that wakes a process with nothing to do', () => {
  const monitor = jest.spyOn(perfHooks, 'monitorEventLoopDelay');
  collectProcessMetrics(new Registry());
  const [[options]] = monitor.mock.calls as [Parameters<typeof perfHooks.monitorEventLoopDelay>];
  expect(options?.resolution).toBeGreaterThan(24 * 3_600_000);
});
