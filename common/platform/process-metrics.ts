/** The metrics of a Node process: `process_*` and `nodejs_*`. */
import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, type Registry } from 'prom-client';

/** Gauges that are named like counters, which Prometheus warns of; each is the sum of the one without the ending. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Of the event loop's delay, from a histogram that a timer fills: each 10 ms by default, 0.5 to 0.8 % of a core of a process that does nothing else. */
const OF_A_TIMER = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (what) => `nodejs_eventloop_lag_${what}_seconds`,
);
const NEVER_MILLISECONDS = 2 ** 31 - 1;

export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MILLISECONDS });
  for (const name of [...MISNAMED, ...OF_A_TIMER]) registry.removeSingleMetric(name);
  registerLoopTime(registry);
}

/** How busy the thread is, of what the loop itself counts; named as OpenTelemetry's conventions for Node do. */
function registerLoopTime(registry: Registry): void {
  new Counter({
    name: 'nodejs_eventloop_time_seconds_total',
    help: 'Time that the event loop was in each state: active in callbacks, or idle while it waited for events.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { active, idle } = performance.eventLoopUtilization();
      this.reset();
      this.inc({ state: 'active' }, active / 1000);
      this.inc({ state: 'idle' }, idle / 1000);
    },
  });
}
