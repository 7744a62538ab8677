/** Creates pods of a revision by name. What the API server refuses for good is a failure of the revision; what may go better soon is thrown. */
import type { ModelRevision } from '../../common/api/kinds.ts';
import { LABELS, RUNTIME_POD_LABELS } from '../../common/api/names.ts';
import { contains } from '../cluster/contains.ts';
import { isOwned } from '../cluster/is-owned.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
import { refusalOf } from '../cluster/refusal.ts';
import { PODS, type Pod } from '../cluster/resources.ts';
import { podFailureOf, type PodFailure } from './pod-failure.ts';

export interface CreateOutcome {
  /** Names that are to be avoided: other pods have them, or had them a moment ago. */
  readonly foreign: readonly string[];
  readonly failure: PodFailure | undefined;
}

export async function createPods(
  cluster: Cluster,
  revision: ModelRevision,
  pods: readonly Pod[],
): Promise<CreateOutcome> {
  const outcomes = await Promise.all(pods.map((pod) => createPod(cluster, revision, pod)));
  return {
    foreign: outcomes.filter((outcome) => typeof outcome === 'string'),
    failure: outcomes.find((outcome) => typeof outcome === 'object'),
  };
}

/** Gives the name if it is to be avoided, or why the API server refused. */
async function createPod(
  cluster: Cluster,
  revision: ModelRevision,
  pod: Pod,
): Promise<string | PodFailure | undefined> {
  try {
    await cluster.create(PODS, pod);
    return undefined;
  } catch (error) {
    if (isClusterError(error, 'AlreadyExists')) {
      const existing = await cluster.get(PODS, pod.metadata);
      // Mostly a pod of ours that the watch has not shown yet. One that is gone by now left no event, if it came and went in a gap of the watch.
      return existing === undefined || isForeign(revision, existing) ? pod.metadata.name : undefined;
    }
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { message, mayPass } = refusal;
    const reason = refusal.reason === 'QuotaExceeded' ? 'QuotaExceeded' : 'PodRefused';
    return podFailureOf({ reason, message }, { ended: true, permanent: !mayPass });
  }
}

/** True if a pod has this name and will never be seen as one of the revision's. */
export async function isTaken(cluster: Cluster, revision: ModelRevision, name: string): Promise<boolean> {
  const { namespace = '' } = revision.metadata;
  const pod = await cluster.get(PODS, { namespace, name });
  return pod !== undefined && isForeign(revision, pod);
}

/** Its own is foreign too once somebody took off the labels that the watch goes by, as people do to look into one pod. */
function isForeign({ metadata }: ModelRevision, pod: Pod): boolean {
  const seen = { ...RUNTIME_POD_LABELS, [LABELS.revision]: metadata.name };
  return !contains(pod.metadata.labels, seen) || !isOwned(pod.metadata, metadata.uid);
}
