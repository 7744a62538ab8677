/** Removes pods of a revision: those that serve nobody at once, ready ones only after they said that no request is in them. */
import type { Clock } from '../../common/platform/clock.ts';
import type { PodAddress } from '../../common/wire/announcement.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
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
  readonly ask: (pod: PodState, address: PodAddress) => Promise<DrainAnswer>;
}

/** Asks as many pods at once as are to go, then the next ones in place of the busy; gives those that went. */
export async function drainPods(cluster: Cluster, request: DrainRequest): Promise<PodState[]> {
  const begun = request.clock.monotonic();
  const gone: PodState[] = [];
  for (let next = 0; gone.length < request.count && next < request.pods.length;) {
    if (request.clock.monotonic() - begun >= ROUND_MILLISECONDS) break;
    const asked = request.pods.slice(next, next + request.count - gone.length);
    next += asked.length;
    const drained = await Promise.all(asked.map((pod) => drainPod(cluster, request, pod)));
    gone.push(...asked.filter((_pod, index) => drained[index] === true));
  }
  return gone;
}

async function drainPod(
  cluster: Cluster,
  { namespace, unanswered, ask }: DrainRequest,
  pod: PodState,
): Promise<boolean> {
  const answer = pod.address === undefined ? 'Unreachable' : await ask(pod, pod.address);
  const misses = answer === 'Unreachable' ? (unanswered.get(pod.uid) ?? 0) + 1 : 0;
  unanswered.set(pod.uid, misses);
  if (answer === 'Busy' || (answer === 'Unreachable' && misses < UNANSWERED_LIMIT)) return false;
  await deletePod(cluster, namespace, pod);
  return true;
}

/** Deletes this very pod; one that is gone, or whose name another pod has now, is as good. */
export async function deletePod(cluster: Cluster, namespace: string, { name, uid }: PodState): Promise<void> {
  try {
    await cluster.delete(PODS, { namespace, name }, { uid });
  } catch (error) {
    if (!isClusterError(error, 'NotFound', 'Conflict')) throw error;
  }
}
