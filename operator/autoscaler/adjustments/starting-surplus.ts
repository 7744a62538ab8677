import type { Adjustment } from './adjustment.ts';

/**
 * Starting replicas are wanted only as far as present demand asks; what was (the stable window, the peak of a panic) keeps ready ones alone.
 *
 * While a model loads for 40 s, its queue grows and panic asks for 10 replicas. The first one to be ready clears the queue in 2 s. Knative would
 * now start the other nine and hold them for a minute, on GPUs that others wait for. Here they are dropped as soon as the panic window, a few
 * seconds long, and the requests of this moment both say so; two measures, so that one quiet instant drops nothing. Requests of this moment are no
 * number of requests a second, but a pod that waits for nothing else answers a second's worth of them in a second: 40 that wait at a target of 20 a
 * second ask for 2.
 */
export const startingSurplus: Adjustment = {
  reason: 'StartingSurplus',
  adjust: (desired, { revision, demand, panicAverage }) => {
    if (panicAverage === undefined) return desired;
    const { target, activationReplicas } = revision.scaling;
    const present = Math.max(0, Math.ceil(Math.max(panicAverage, demand.inFlight + demand.queued) / target));
    const asked = present > 0 ? Math.max(present, activationReplicas) : 0;
    return Math.min(desired, Math.max(revision.readyReplicas, asked));
  },
};
