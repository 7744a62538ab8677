/** What gateways must know of a function, from what the operator sees. Pure. */
import type { FunctionRoute, PodRoute, RevisionRoute } from '../../common/wire/routes.ts';
import type { FunctionView } from '../controllers/function-view.ts';
import type { PodState } from '../pods/pod-state.ts';

export interface RevisionPods {
  readonly pods: readonly PodState[];
  /** Why no pod can be had. */
  readonly failure: RevisionRoute['failure'];
  /** Uids of ready pods beyond what is wanted. */
  readonly spare: ReadonlySet<string>;
  /** What the start of a pod will take, once that was learned. */
  readonly startMilliseconds: number | undefined;
}

/** @param podsOf by the revision's name */
export function buildRoute(view: FunctionView, podsOf: (revision: string) => RevisionPods): FunctionRoute {
  const { metadata, spec } = view.function;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    visibility: spec.visibility,
    timeoutSeconds: spec.timeoutSeconds,
    concurrencyLimit: spec.concurrencyLimit,
    queue: spec.queue,
    traffic: view.traffic,
    revisions: view.revisions.map((revision) => revisionRoute(revision.metadata.name, podsOf(revision.metadata.name))),
  };
}

function revisionRoute(name: string, { pods, failure, spare, startMilliseconds }: RevisionPods): RevisionRoute {
  const routed = pods.map((pod) => podRoute(pod, spare.has(pod.uid))).filter((pod) => pod !== undefined);
  // With a pod that serves there is nothing to refuse, whatever became of the others.
  const refuses = failure !== undefined && !routed.some(({ state }) => state === 'Ready');
  return {
    name,
    pods: routed,
    ...(refuses ? { failure } : {}),
    ...(startMilliseconds === undefined ? {} : { startSeconds: startMilliseconds / 1000 }),
  };
}

function podRoute({ name, uid, phase, address }: PodState, isSpare: boolean): PodRoute | undefined {
  if (address === undefined) return undefined;
  switch (phase) {
    case 'Ready':
    case 'Terminating':
      return { name, uid, state: phase, ...(isSpare ? { spare: true } : {}), host: address.host, ports: address.ports };
    case 'Starting':
    case 'Failed':
      return undefined;
  }
}
