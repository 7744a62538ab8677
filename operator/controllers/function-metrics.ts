/** What functions say of themselves, read when Prometheus asks: a series ends with its function, and a reason that has passed is gone. */
import { Gauge, type Registry } from 'prom-client';
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelFunction } from '../../common/api/kinds.ts';

/** `functions` gives those that this replica speaks for: none while another one leads, or each would be counted twice. */
export function functionMetrics(registry: Registry, functions: () => readonly ModelFunction[]): void {
  const registers = [registry];
  new Gauge({
    name: 'pilotlight_function_ready',
    help: 'Always 1, with the status and the reason of the condition Ready as labels.',
    labelNames: ['namespace', 'function', 'status', 'reason'] as const,
    registers,
    collect() {
      this.reset();
      for (const { metadata, status } of functions()) {
        const ready = findCondition(status?.conditions, 'Ready');
        if (ready === undefined) continue;
        const { namespace = '', name } = metadata;
        this.set({ namespace, function: name, status: ready.status, reason: ready.reason }, 1);
      }
    },
  });
  new Gauge({
    name: 'pilotlight_function_max_replicas',
    help: 'Replicas that a function may have (scaling.maxReplicas).',
    labelNames: ['namespace', 'function'] as const,
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec } of functions()) {
        this.set({ namespace: metadata.namespace ?? '', function: metadata.name }, spec.scaling.maxReplicas);
      }
    },
  });
}
