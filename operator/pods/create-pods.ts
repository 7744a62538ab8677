/** Creates pods of a revision by name. What the API server refuses for good is a failure of the revision; what may go better soon is thrown. */
import type { ModelRevision } from '../../common/api/kinds.ts';
import { isOwned } from '../cluster/is-owned.ts';
import { isClusterError, type Cluster } from '../cluster/port.ts';
import { PODS, type Pod } from '../cluster/resources.ts';
import type { PodFailure } from './pod-failure.ts';

export interface CreateOutcome {
  /** Names that belong to somebody else's pods. */
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

/** Gives the name if somebody else has it, or why the API server refused. */
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
      // Mostly a pod of ours that the watch has not shown yet.
      return (await isForeign(cluster, revision, pod.metadata.name)) ? pod.metadata.name : undefined;
    }
    if (isClusterError(error, 'Invalid')) return refused('PodRefused', error.message, true);
    if (!isClusterError(error, 'Forbidden')) throw error;
    const reason = error.message.includes('exceeded quota') ? 'QuotaExceeded' : 'PodRefused';
    return refused(reason, error.message, false);
  }
}

/** True if a pod has this name and the revision does not own it. */
export async function isForeign(cluster: Cluster, { metadata }: ModelRevision, name: string): Promise<boolean> {
  const { namespace = '' } = metadata;
  const pod = await cluster.get(PODS, { namespace, name });
  return pod !== undefined && !isOwned(pod.metadata, metadata.uid);
}

function refused(reason: 'PodRefused' | 'QuotaExceeded', message: string, permanent: boolean): PodFailure {
  return { reason, message, ended: true, permanent };
}
