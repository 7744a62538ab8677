/** What pods say about their start, as a histogram by phase. */
import { Histogram, type Registry } from 'prom-client';
import type { Announcement } from '../../common/wire/announcement.ts';

/** Names of phases are the runtime's; a pod that makes up its own must not make up metrics. */
const MAX_PHASES = 16;

/** Gives the function that takes each pod's first announcement. */
export function startPhases(registry: Registry): (announcement: Announcement) => void {
  const known = new Set<string>();
  const histogram = new Histogram({
    name: 'pilotlight_start_phase_seconds',
    help: 'Time that each phase of the start of a pod took, as the pod says.',
    labelNames: ['phase'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers: [registry],
  });
  return ({ phases = {} }) => {
    for (const [phase, milliseconds] of Object.entries(phases)) {
      if (!known.has(phase) && known.size >= MAX_PHASES) continue;
      known.add(phase);
      histogram.observe({ phase }, milliseconds / 1000);
    }
  };
}
