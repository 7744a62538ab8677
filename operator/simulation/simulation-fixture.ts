/** Test-only: functions and traces to simulate. */
import { modelFunction } from '../controllers/object-fixtures.ts';
import { simulate, type SimulationInput, type SimulationResult } from './simulate.ts';
import type { Arrival } from './simulated-request.ts';

type Spec = SimulationInput['spec'];

export interface SimulationChange extends Partial<Omit<SimulationInput, 'spec'>> {
  readonly scaling?: Partial<Spec['scaling']>;
  readonly spec?: Partial<Omit<Spec, 'scaling'>>;
}

/** With the API's defaults, a pod that runs what its target is, and a start of 20 s. */
export function simulated({ scaling, spec, ...input }: SimulationChange): SimulationResult {
  return simulate({
    arrivals: [],
    startSeconds: 20,
    slots: scaling?.target ?? 8,
    ...input,
    spec: functionSpec({ ...(scaling && { scaling }), ...(spec && { spec }) }),
  });
}

export function functionSpec({ scaling, spec }: Pick<SimulationChange, 'scaling' | 'spec'>): Spec {
  const defaults = modelFunction().spec;
  const queue = { ...defaults.queue, maxRequests: 100_000 };
  return { ...defaults, queue, ...spec, scaling: { ...defaults.scaling, ...scaling } };
}

/** So many requests of so long at once. */
export function burst(at: number, requests: number, serviceSeconds = 1): Arrival[] {
  return Array.from({ length: requests }, () => ({ at, serviceSeconds }));
}

/** Evenly, so many a second. */
export function steady(from: number, to: number, rate: number, serviceSeconds = 1): Arrival[] {
  return Array.from({ length: Math.floor((to - from) * rate) }, (_, index) => ({
    at: from + index / rate,
    serviceSeconds,
  }));
}

export function mostPods({ moments }: SimulationResult): number {
  return Math.max(...moments.map(({ ready, starting }) => ready + starting));
}
