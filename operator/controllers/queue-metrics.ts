/** Metrics of the work queues. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export interface QueueMetrics {
  /** A queue that is measured under the controller's name. */
  queue(controller: string, options: WorkQueueOptions): WorkQueue;
}

export function queueMetrics(registry: Registry): QueueMetrics {
  const queues = new Map<string, WorkQueue>();
  const registers = [registry];
  const reconciles = new Counter({
    name: 'pilotlight_reconciles_total',
    help: 'Reconciliations by result.',
    labelNames: ['controller', 'result'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'pilotlight_reconcile_seconds',
    help: 'Time that a reconciliation took.',
    labelNames: ['controller'] as const,
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    registers,
  });
  const depth = new Gauge<'controller'>({
    name: 'pilotlight_reconcile_queue_depth',
    help: 'Objects that wait to be reconciled.',
    labelNames: ['controller'],
    registers,
    collect: () => {
      for (const [controller, queue] of queues) depth.set({ controller }, queue.depth);
    },
  });
  return {
    queue: (controller, options) => {
      const queue = new WorkQueue({
        ...options,
        process: async (key) => {
          const begun = options.clock.monotonic();
          let result = 'error';
          try {
            const again = await options.process(key);
            result = 'success';
            return again;
          } finally {
            reconciles.inc({ controller, result });
            seconds.observe({ controller }, (options.clock.monotonic() - begun) / 1000);
          }
        },
      });
      queues.set(controller, queue);
      for (const result of ['success', 'error']) reconciles.inc({ controller, result }, 0);
      return queue;
    },
  };
}
