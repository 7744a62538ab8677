/** The operators' own histogram of how long a decision to wake takes to become a call that makes a pod, by way of the API server. */
import { COMPONENTS, LABELS, PRODUCT } from '../../../common/api/names.ts';
import { PODS } from '../../../operator/cluster/resources.ts';
import { SYSTEM_NAMESPACE } from '../../cluster/support/installation.ts';
import { kubectl } from '../../cluster/support/kubectl.ts';
import { listObjects } from '../../cluster/support/objects.ts';
import { addBuckets, parseBuckets, type Buckets } from '../../cluster/support/histogram.ts';

const NAME = 'pilotlight_wake_seconds';

/** Of all operators together: only the leader counts anything. */
export async function readWakes(): Promise<Buckets> {
  const labels = { [LABELS.name]: PRODUCT, [LABELS.component]: COMPONENTS.operator };
  const { objects } = await listObjects(PODS, { namespace: SYSTEM_NAMESPACE, labels });
  const texts = objects.map(({ metadata }) =>
    kubectl(['get', '--raw', `/api/v1/namespaces/${SYSTEM_NAMESPACE}/pods/${metadata.name}:9090/proxy/metrics`]),
  );
  return addBuckets((await Promise.all(texts)).map((text) => parseBuckets(text, NAME)));
}
