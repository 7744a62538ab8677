/** The metrics of a Node process: `process_*` and `nodejs_*`. */
import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges that are named like counters, which Prometheus warns of; each is the sum of the one without the ending. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}
