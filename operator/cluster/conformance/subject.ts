/** What the conformance suite asks of an adapter under test, and the objects that it makes there. */
import type { Cluster, KubernetesObject, ObjectMeta, OwnerReference, Resource } from '../port.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, type Event, type Lease, type Pod, type Secret } from '../resources.ts';

export interface ConformanceSubject {
  readonly cluster: Cluster;
  /** Two namespaces that exist and hold nothing of this run. The product's CRDs are installed. */
  readonly namespace: string;
  readonly otherNamespace: string;
  /** Cuts every connection under way, watches included, as a network would; absent where there are none. */
  readonly breakConnections?: () => Promise<void>;
  /** Makes a namespace that is being deleted for as long as the tests run; absent where namespaces are but names. */
  readonly endingNamespace?: () => Promise<string>;
  stop(): Promise<void>;
}

/** The subject of the running tests; each test file of the suite reads it when a test runs. */
export type CurrentSubject = () => ConformanceSubject;

/** A custom resource whose fields the suite does not care to type. */
export interface CustomObject extends KubernetesObject {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export const FUNCTIONS: Resource<CustomObject> = loosely(MODEL_FUNCTIONS);
export const REVISIONS: Resource<CustomObject> = loosely(MODEL_REVISIONS);

function loosely({ apiVersion, kind, plural, namespaced }: Resource<KubernetesObject>): Resource<CustomObject> {
  return { apiVersion, kind, plural, namespaced };
}

let lastName = 0;

/** A name that no other test of this run uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${++lastName}`;
}

type Metadata = ObjectMeta & { readonly namespace: string };

export function secret(metadata: Metadata, data: Readonly<Record<string, string>> = { key: 'dmFsdWU=' }): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
}

/** A pod that no scheduler looks at; with a `nodeName` it counts as scheduled, to a node that is not there, so that no kubelet meddles. */
export function pod(metadata: Metadata, nodeName?: string): Pod {
  const resources = { limits: { cpu: '1', memory: '64Mi' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      containers: [{ name: 'runtime', image: 'example.invalid/none:1', resources }],
      terminationGracePeriodSeconds: 600,
      ...(nodeName === undefined ? { schedulingGates: [{ name: 'pilotlight.dev/conformance' }] } : { nodeName }),
    },
  };
}

export function lease(metadata: Metadata, holderIdentity: string): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 0 },
  };
}

export function event(metadata: Metadata, about: KubernetesObject): Event {
  const { name, uid } = about.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      namespace: metadata.namespace,
      name,
      ...(uid !== undefined && { uid }),
    },
    type: 'Normal',
    reason: 'Tested',
    message: 'Tested the cluster',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'conformance' },
  };
}

export function modelFunction(metadata: Metadata, spec: Readonly<Record<string, unknown>> = {}): CustomObject {
  const { apiVersion, kind } = FUNCTIONS;
  return { apiVersion, kind, metadata, spec: { model: { uri: 'https://example.invalid/model.onnx' }, ...spec } };
}

export function modelRevision(metadata: Metadata, functionName: string): CustomObject {
  const { apiVersion, kind } = REVISIONS;
  const model = { uri: 'https://example.invalid/model.onnx' };
  return {
    apiVersion,
    kind,
    metadata,
    spec: {
      functionName,
      template: { model },
      resolved: {
        model,
        runtime: { executionProviders: ['CPU'], instances: 1, intraOpThreads: 1, image: 'example.invalid/runtime:1' },
        batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
        resources: { limits: { cpu: '1' } },
        pod: {},
      },
    },
  };
}

export function ownerReference(owner: KubernetesObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: false,
  };
}
