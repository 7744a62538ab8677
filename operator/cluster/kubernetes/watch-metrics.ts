/** How fresh the operator's view of the cluster is. A time, not an age: Prometheus subtracts, and its own delay does not count. */
import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../../common/platform/clock.ts';
import type { WatchFreshness } from './watch-loop.ts';

export function watchMetrics(registry: Registry, clock: Clock, watches: () => readonly WatchFreshness[]): void {
  new Gauge({
    name: 'pilotlight_watch_last_contact_timestamp_seconds',
    help: 'When the API server last sent anything on a watch; it does about every minute, changes or not.',
    labelNames: ['watch'] as const,
    registers: [registry],
    collect() {
      this.reset();
      const offset = clock.now() - clock.monotonic();
      for (const { name, lastContact } of watches()) this.set({ watch: name }, (lastContact + offset) / 1000);
    },
  });
}
