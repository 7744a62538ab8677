/** Test-only: functions and traces to simulate. */
import { modelFunction } from '../controllers/object-fixtures.ts';
import { simulate, type SimulationInput } from './simulate.ts';
import type { FunctionInput, FunctionResult } from './simulated-function.ts';
import type { Arrival } from './simulated-request.ts';

type Spec = FunctionInput['spec'];

export interface FunctionChange extends Partial<Omit<FunctionInput, 'spec'>> {
  readonly scaling?: Partial<Spec['scaling']>;
  readonly spec?: Partial<Omit<Spec, 'scaling'>>;
}

export type SimulationChange = FunctionChange & Pick<SimulationInput, 'restSeconds' | 'decide'>;

/** Of one function, without budgets. */
export function simulated({ restSeconds, decide, ...change }: SimulationChange): FunctionResult {
  const { functions } = simulate({
    functions: [functionInput(change)],
    ...(restSeconds !== undefined && { restSeconds }),
    ...(decide !== undefined && { decide }),
  });
  const [result] = functions;
  if (result === undefined) throw new Error('A simulation of one function gave no result.');
  return result;
}

/** With the API's defaults, a pod that runs what its target is, and a start of 20 s. */
export function functionInput({ scaling, spec, ...input }: FunctionChange): FunctionInput {
  return {
    namespace: 'default',
    name: 'simulated',
    arrivals: [],
    startSeconds: 20,
    slots: scaling?.target ?? 8,
    ...input,
    spec: functionSpec({ ...(scaling && { scaling }), ...(spec && { spec }) }),
  };
}

export function functionSpec({ scaling, spec }: Pick<FunctionChange, 'scaling' | 'spec'>): Spec {
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

export function mostPods({ moments }: FunctionResult): number {
  return Math.max(...moments.map(({ ready, starting }) => ready + starting));
}
