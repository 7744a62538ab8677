/**
 * Knative Serving, where it is installed in the same cluster. It is asked at its activator, with the two headers that an ingress would add, so that no
 * figure has an ingress in it. Its Services name an ingress class that nobody serves, and the ingresses that it makes for them are marked as ready here:
 * without that no Service ever is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Condition } from '../../../common/api/kinds.ts';
import type { KubernetesObject, Resource } from '../../../operator/cluster/port.ts';
import type { Container } from '../../../operator/cluster/resources.ts';
import { applyObjects, getObject, listObjects, patchObject } from '../../cluster/support/objects.ts';
import { DEPLOYMENTS, NAMESPACES, RUNNING_PODS, type RunningPod } from '../../cluster/support/resources.ts';
import { IMAGE_HINT } from './knative-image.ts';
import { kubectl } from '../../cluster/support/kubectl.ts';

const SYSTEM_NAMESPACE = 'knative-serving';
const DEFINITION = 'services.serving.knative.dev';
const INGRESS_CLASS = 'none.bench.pilotlight.dev';
const READY_SECONDS = 240;
const VERSION_LABEL = 'app.kubernetes.io/version';

export const ACTIVATOR_PORT = 8012;
/** On the pods of a revision. */
export const REVISION_LABEL = 'serving.knative.dev/revision';

interface Service extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly latestReadyRevisionName?: string };
}
const SERVICES: Resource<Service> = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
};

interface Ingress extends KubernetesObject {
  readonly status?: { readonly observedGeneration?: number };
}
const INGRESSES: Resource<Ingress> = {
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
};

export interface Knative {
  readonly version: string;
  readonly activator: RunningPod;
}

export interface KnativeService {
  readonly name: string;
  /** Less the prefix autoscaling.knative.dev/. */
  readonly autoscaling: Readonly<Record<string, string>>;
  readonly container: Omit<Container, 'name'>;
}

/** Undefined where it is not installed. */
export async function findKnative(): Promise<Knative | undefined> {
  const definition = await kubectl(['get', 'customresourcedefinitions', DEFINITION, '--ignore-not-found', '-o=name']);
  if (definition.trim() === '') return undefined;
  const scope = { namespace: SYSTEM_NAMESPACE, labels: { app: 'activator' } };
  const activator = (await listObjects(RUNNING_PODS, scope)).objects.find(
    ({ metadata, status }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
  );
  if (activator?.status?.podIP === undefined) {
    throw new Error(`Knative Serving is installed, and no pod of its activator runs in namespace ${SYSTEM_NAMESPACE}.`);
  }
  const labelled = [
    await getObject(DEPLOYMENTS, { namespace: SYSTEM_NAMESPACE, name: 'activator' }),
    await getObject(NAMESPACES, { name: SYSTEM_NAMESPACE }),
  ];
  const version = labelled.map((object) => object?.metadata.labels?.[VERSION_LABEL]).find((one) => one !== undefined);
  return { version: version ?? 'of unknown version', activator };
}

/** What a request to its activator must say. */
export function revisionHeaders(namespace: string, revision: string): Record<string, string> {
  return { 'knative-serving-namespace': namespace, 'knative-serving-revision': revision };
}

/** The services' revisions, or why there are no figures of Knative. */
export type Serving = { readonly revisions: readonly string[] } | { readonly problem: string };

/** Makes the services, and waits until all are ready; if they do not become that, they go again. */
export async function makeServices(namespace: string, services: readonly KnativeService[]): Promise<Serving> {
  try {
    await applyObjects(...services.map((service) => manifest(namespace, service)));
    return { revisions: await untilReady(namespace, services) };
  } catch (error) {
    await kubectl(['delete', DEFINITION, '--all', `--namespace=${namespace}`], { timeoutSeconds: 120 });
    const message = error instanceof Error ? error.message : String(error);
    return { problem: `No figures of Knative: ${message} ${IMAGE_HINT}` };
  }
}

async function untilReady(namespace: string, services: readonly KnativeService[]): Promise<string[]> {
  const deadline = Date.now() + READY_SECONDS * 1000;
  for (;;) {
    await markIngresses(namespace);
    const { objects } = await listObjects(SERVICES, { namespace });
    const unready = objects.filter((one) => ready(one)?.status !== 'True');
    if (unready.length === 0) return services.map(({ name }) => revisionOf(objects, name));
    const failed = unready.filter((one) => ready(one)?.status === 'False');
    if (failed.length > 0 || Date.now() > deadline) {
      const complaints = (failed.length > 0 ? failed : unready).map(complaint);
      throw new Error(`Services of Knative did not become ready. ${complaints.join('; ')}`);
    }
    await delay(1000);
  }
}

function revisionOf(services: readonly Service[], wanted: string): string {
  const found = services.find(({ metadata }) => metadata.name === wanted)?.status?.latestReadyRevisionName;
  if (found === undefined) throw new Error(`Service ${wanted} of Knative is ready without a revision.`);
  return found;
}

function ready({ status }: Service): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

function complaint(service: Service): string {
  const { reason = '', message = '' } = ready(service) ?? {};
  return `${service.metadata.name}: ${reason} ${message}`;
}

async function markIngresses(namespace: string): Promise<void> {
  const { objects } = await listObjects(INGRESSES, { namespace });
  const stale = objects.filter(({ metadata, status }) => status?.observedGeneration !== metadata.generation);
  await Promise.all(
    stale.map(({ metadata: { name, generation } }) => {
      const balancer = { ingress: [{ domainInternal: `activator-service.${SYSTEM_NAMESPACE}.svc` }] };
      const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
      const conditions = ['LoadBalancerReady', 'NetworkConfigured', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime,
      }));
      const status = {
        observedGeneration: generation,
        conditions,
        publicLoadBalancer: balancer,
        privateLoadBalancer: balancer,
      };
      return patchObject(INGRESSES, { namespace, name }, { status }, '--subresource=status');
    }),
  );
}

function manifest(namespace: string, { name, autoscaling, container }: KnativeService): object {
  const annotations = Object.entries(autoscaling).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]);
  return {
    apiVersion: SERVICES.apiVersion,
    kind: SERVICES.kind,
    metadata: {
      namespace,
      name,
      labels: { 'networking.knative.dev/visibility': 'cluster-local' },
      annotations: { 'networking.knative.dev/ingress-class': INGRESS_CLASS },
    },
    spec: {
      template: {
        metadata: { annotations: Object.fromEntries(annotations) as Record<string, string> },
        spec: { containers: [container] },
      },
    },
  };
}
