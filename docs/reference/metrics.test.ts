import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { GatewayMetrics } from '../../gateway/metrics.ts';
import { NO_LOAD } from '../../gateway/testing/no-load.ts';
import { capacityMetrics } from '../../operator/capacity/capacity-metrics.ts';
import { watchMetrics } from '../../operator/cluster/kubernetes/watch-metrics.ts';
import { functionMetrics } from '../../operator/controllers/function-metrics.ts';
import { queueMetrics } from '../../operator/controllers/queue-metrics.ts';
import { RevisionMetrics } from '../../operator/controllers/revision-metrics.ts';
import { signingKeyMetrics } from '../../operator/credentials/signing-key-metrics.ts';
import { LeaderMetrics } from '../../operator/leadership/leader-metrics.ts';
import { startPhases } from '../../operator/pods/start-phases.ts';
import { createMetrics } from '../../runtime/server/metrics.ts';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/metrics.md');

const REGISTRIES: Record<string, () => Registry> = {
  Gateway: () => {
    const registry = new Registry();
    new GatewayMetrics(registry, () => NO_LOAD);
    return registry;
  },
  Operator: () => {
    const registry = new Registry();
    new RevisionMetrics(registry);
    queueMetrics(registry);
    new LeaderMetrics(registry);
    startPhases(registry);
    signingKeyMetrics(registry, () => ({ madeAt: 0, pods: new Map() }));
    functionMetrics(registry, () => []);
    capacityMetrics(registry, () => []);
    watchMetrics(registry, new ManualClock(), () => []);
    return registry;
  },
  Runtime: () => createMetrics('digits', 'digits-00001', { inFlight: 0, memory: 0, memoryLimit: 0 }).registry,
};

test.each(Object.keys(REGISTRIES))('lists exactly what the %s exports', (process) => {
  const metrics = REGISTRIES[process]!().getMetricsAsArray();
  const exported = metrics.map((metric) => {
    // prom-client's own types leave the labels out, and call the type a number.
    const { type, labelNames } = metric as unknown as { readonly type: string; readonly labelNames: readonly string[] };
    return [metric.name, type, labelNames.join(), metric.help];
  });
  const documented = tableBelow(page, `## ${process}`).map(([name, type, labels = '', meaning]) => [
    name,
    type,
    labels.replaceAll(/[` ]/g, ''),
    meaning,
  ]);
  expect(documented.sort()).toEqual(exported.sort());
});
