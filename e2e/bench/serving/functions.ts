/** Functions and the pods that serve them, as one looks at them from outside of the cluster. */
import type { ModelFunctionManifest } from '../../../common/api/kinds.ts';
import { COMPONENTS, LABELS, PRODUCT } from '../../../common/api/names.ts';
import { MODEL_FUNCTIONS } from '../../../operator/cluster/resources.ts';
import { hasReplicas, isReady } from '../../function-state.ts';
import { SYSTEM_NAMESPACE } from '../../cluster/support/installation.ts';
import { ObjectWatch } from '../../cluster/support/object-watch.ts';
import { applyObjects, listObjects } from '../../cluster/support/objects.ts';
import { RUNNING_PODS, type RunningPod } from '../../cluster/support/resources.ts';

/** Of a gateway's pod, for callers in the cluster. */
export const GATEWAY_PORT = 8080;
/** Fifty at once start on two cores within one. */
const READY_SECONDS = 180;

/** Applies them, and resolves once all are ready, with as many replicas as they must have at least. */
export async function makeFunctions(namespace: string, manifests: readonly ModelFunctionManifest[]): Promise<void> {
  await applyFunctions(namespace, manifests);
  const functions = new ObjectWatch(MODEL_FUNCTIONS, { namespace });
  try {
    await functions.until(
      'all functions are ready',
      (objects) => {
        const done = manifests.every(({ metadata, spec }) => {
          const fn = objects.find((one) => one.metadata.name === metadata.name);
          const least = spec.scaling?.minReplicas ?? 0;
          return fn !== undefined && isReady(fn) && (least === 0 || hasReplicas(fn, least));
        });
        return done ? true : undefined;
      },
      READY_SECONDS,
      (fn) => !isReady(fn),
    );
  } finally {
    await functions.close();
  }
}

export function applyFunctions(namespace: string, manifests: readonly ModelFunctionManifest[]): Promise<string> {
  return applyObjects(...manifests.map((one) => ({ ...one, metadata: { ...one.metadata, namespace } })));
}

/** Once all have addresses: a pod serves before the API server knows its own. */
export async function podsOfFunction(namespace: string, name: string): Promise<readonly RunningPod[]> {
  const pods = new ObjectWatch(RUNNING_PODS, { namespace, labels: { [LABELS.function]: name } });
  try {
    return await pods.until(`the pods of ${name} have addresses`, (all) =>
      all.length > 0 && all.every(({ status }) => status?.podIP !== undefined) ? all : undefined,
    );
  } finally {
    await pods.close();
  }
}

export async function gatewayPods(): Promise<readonly RunningPod[]> {
  const labels = { [LABELS.name]: PRODUCT, [LABELS.component]: COMPONENTS.gateway };
  const { objects } = await listObjects(RUNNING_PODS, { namespace: SYSTEM_NAMESPACE, labels });
  return objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Throws for a pod that has none. */
export function addressOf({ metadata, status }: RunningPod): string {
  if (status?.podIP === undefined) throw new Error(`Pod ${metadata.name} has no address.`);
  return status.podIP;
}
