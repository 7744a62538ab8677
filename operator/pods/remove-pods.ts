/** Removes pods of a revision: those that serve nobody at once, ready ones only after they said that no request is in them. */
import type { Clock } from '../../common/platform/clock.ts';
import type { PodAddress } from '../../common/wire/announcement.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import type { Cluster } from '../cluster/port.ts';
import { PODS } from '../cluster/resources.ts';
import type { DrainAnswer } from './drain-client.ts';
import type { PodState } from './pod-state.ts';

/** Asked so often in vain, a pod is taken for hung; its grace period still lets what is in it end. */
const UNANSWERED_LIMIT = 5;

/** Pods answer within milliseconds; a round that meets hung ones ends after this, so that the revision's other needs do not wait. */
const ROUND_MILLISECONDS = 1000;

export interface DrainRequest {
  readonly clock: Clock;
  readonly namespace: string;
  /** Candidates in the order in which they are asked. */
  readonly pods: readonly PodState[];
  /** How many are to go. */
  readonly count: number;
  /** By uid: how often in a row a pod did not answer; kept by the caller. */
  readonly unanswered: Map<string, number>;
  /** Uids of pods that were deleted, also when the deletion of another one is refused; kept by the caller. */
  readonly deleted: Set<string>;
  readonly ask: (pod: PodState, address: PodAddress) => Promise<DrainAnswer>;
}

/** Asks as many pods at once as are to go, then the next ones in place of the busy; gives how many went. */
export async function drainPods(cluster: Cluster, request: DrainRequest): Promise<number> {
  const begun = request.clock.monotonic();
  let gone = 0;
  for (let next = 0; gone < request.count && next < request.pods.length;) {
    if (request.clock.monotonic() - begun >= ROUND_MILLISECONDS) break;
    const asked = request.pods.slice(next, next + request.count - gone);
    next += asked.length;
    const drained = await Promise.all(asked.map((pod) => drainPod(cluster, request, pod)));
    gone += drained.filter((went) => went).length;
  }
  return gone;
}

async function drainPod(
  cluster: Cluster,
  { namespace, unanswered, deleted, ask }: DrainRequest,
  pod: PodState,
): Promise<boolean> {
  const answer = pod.address === undefined ? 'Unreachable' : await ask(pod, pod.address);
  const misses = answer === 'Unreachable' ? (unanswered.get(pod.uid) ?? 0) + 1 : 0;
  unanswered.set(pod.uid, misses);
  if (answer === 'Busy' || (answer === 'Unreachable' && misses < UNANSWERED_LIMIT)) return false;
  await deleteExactly(cluster, PODS, { namespace, name: pod.name, uid: pod.uid });
  deleted.add(pod.uid);
  return true;
}
