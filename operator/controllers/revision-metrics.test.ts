import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { modelRevision } from './object-fixtures.ts';
import { RevisionMetrics } from './revision-metrics.ts';

test('failures begin at zero for each reason, so that a rate sees the first one', async () => {
  const registry = new Registry();
  const metrics = new RevisionMetrics(registry);
  expect(await registry.metrics()).toContain('pilotlight_pod_failures_total{reason="ModelNotFound"} 0\n');
  metrics.failures.inc({ reason: 'ModelNotFound' });
  expect(await registry.metrics()).toContain('pilotlight_pod_failures_total{reason="ModelNotFound"} 1\n');
});

test('the series of a revision end with it', async () => {
  const registry = new Registry();
  const metrics = new RevisionMetrics(registry);
  const revision = modelRevision(1);
  metrics.observe(revision, 2, 1, 'Panic');
  const text = await registry.metrics();
  expect(text).toMatch(/^pilotlight_desired_replicas\{.*revision="digits-00001"\} 2$/m);
  expect(text).toMatch(/^pilotlight_ready_replicas\{.*revision="digits-00001"\} 1$/m);
  expect(text).toMatch(/^pilotlight_panic_mode\{.*revision="digits-00001"\} 1$/m);
  metrics.forget(revision);
  expect(await registry.metrics()).not.toContain('digits-00001');
});
