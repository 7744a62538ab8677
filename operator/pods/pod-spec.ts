/**
 * Builds the Pod of a revision; it reads nothing but its arguments. What is not in it matters as much: any volume, even the service account's token,
 * costs a pod 300 ms of start (the kubelet mounts in such steps), an init container 700 ms.
 */
import { COMPONENTS, LABELS, PRODUCT, RUNTIME_POD_LABELS } from '../../common/api/names.ts';
import type { ModelRevision } from '../../common/api/kinds.ts';
import { quantityBytes } from '../../common/api/quantity.ts';
import { MODEL_CLAIM_DIRECTORY, parseModelClaim } from '../../common/wire/model-claim.ts';
import { MODEL_SECRET_ENVIRONMENT } from '../../common/wire/model-credentials.ts';
import { MODEL_IMAGE_DIRECTORY, parseModelImage } from '../../common/wire/model-image.ts';
import { RUNTIME_ENVIRONMENT, type RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { signToken, type SigningKey } from '../../common/wire/tokens.ts';
import { controllerReference } from '../cluster/controller-reference.ts';
import type { EnvironmentVariable, Pod } from '../cluster/resources.ts';
import type { PodSettings } from './pod-settings.ts';
import { ATTEMPT_ANNOTATION } from './pod-state.ts';
import { RUNTIME_PORTS } from './runtime-ports.ts';

export interface PodSpecOptions {
  readonly name: string;
  /** Failures in a row before this pod. */
  readonly attempt: number;
  /** The function's at this moment; the pod may take that long, and 10 s more, to end. */
  readonly timeoutSeconds: number;
  /** `host:port` of each gateway's control port. */
  readonly gateways: readonly string[];
  readonly key: SigningKey;
  readonly logLevel: string;
  readonly settings: PodSettings;
}

/** The image lets its user write here and nowhere else. */
const MODEL_DIRECTORY = '/var/cache/pilotlight';
const TERMINATION_LOG = '/dev/termination-log';

/** The kubelet evicts a pod whose volume outgrows its limit, so that is above what the runtime keeps to: by records, logs and what two write at once. */
const CACHE_SLACK_BYTES = 256 * 2 ** 20;

interface Volume {
  readonly volume: object;
  readonly mount: object;
}

/** A node that is gone for 30 s loses its pods; Kubernetes' own default is 5 minutes, in which a third of three replicas would be missing. */
const NODE_LOSS_SECONDS = 30;
const NODE_LOSS_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const;

/** Of a convention that Prometheus' own Helm chart looks for. */
const SCRAPE_ANNOTATIONS = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(RUNTIME_PORTS.metrics),
  'prometheus.io/path': '/metrics',
};

export function buildPod(revision: ModelRevision, options: PodSpecOptions): Pod {
  const { metadata, spec } = revision;
  const { resolved } = spec;
  const { settings } = options;
  const volumes = [
    ...(settings.readOnlyRootFilesystem ? [cacheVolume(settings)] : []),
    ...modelVolumes(resolved.model.uri, settings),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: options.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: {
        [LABELS.function]: spec.functionName,
        [LABELS.revision]: metadata.name,
        [LABELS.name]: PRODUCT,
        [LABELS.instance]: spec.functionName,
        ...RUNTIME_POD_LABELS,
        [LABELS.partOf]: PRODUCT,
      },
      annotations: {
        // Node autoscalers leave a node alone that has a pod without one of the controllers they know, or one with an emptyDir.
        'cluster-autoscaler.kubernetes.io/safe-to-evict': String(settings.safeToEvict),
        ...(settings.scrapeAnnotations ? SCRAPE_ANNOTATIONS : {}),
        ...(options.attempt === 0 ? {} : { [ATTEMPT_ANNOTATION]: String(options.attempt) }),
      },
      ownerReferences: [controllerReference(revision)],
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: options.timeoutSeconds + 10,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      ...resolved.pod,
      tolerations: tolerations(resolved.pod.tolerations ?? []),
      ...(settings.imagePullSecrets.length === 0
        ? {}
        : { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }),
      ...(volumes.length === 0 ? {} : { volumes: volumes.map(({ volume }) => volume) }),
      containers: [
        {
          name: COMPONENTS.runtime,
          image: resolved.runtime.image,
          ...(settings.imagePullPolicy === undefined ? {} : { imagePullPolicy: settings.imagePullPolicy }),
          env: environment(revision, options),
          ports: Object.entries(RUNTIME_PORTS).map(([name, containerPort]) => ({ name, containerPort })),
          resources: quantities(resolved.resources),
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            ...(settings.readOnlyRootFilesystem ? { readOnlyRootFilesystem: true } : {}),
          },
          ...(volumes.length === 0 ? {} : { volumeMounts: volumes.map(({ mount }) => mount) }),
          readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 2, timeoutSeconds: 1 },
          terminationMessagePath: TERMINATION_LOG,
          terminationMessagePolicy: 'File',
        },
      ],
    },
  };
}

/** Takes the place of the image's own folder on a read-only root. */
function cacheVolume({ modelCacheSize }: PodSettings): Volume {
  const sizeLimit = String((quantityBytes(modelCacheSize) ?? 0) + CACHE_SLACK_BYTES);
  return {
    volume: { name: 'cache', emptyDir: { sizeLimit } },
    mount: { name: 'cache', mountPath: MODEL_DIRECTORY },
  };
}

/**
 * The claim that a `pvc:` model is on, or the image that an `oci:` model is in. Many pods may read a claim on many nodes, so none gets more than that. An
 * image is pulled with the Secrets of the pod.
 */
function modelVolumes(uri: string, { imagePullPolicy }: PodSettings): readonly Volume[] {
  const found = parseModelClaim(uri);
  if (found !== undefined) {
    return [
      {
        volume: { name: 'model', persistentVolumeClaim: { claimName: found.claim, readOnly: true } },
        mount: { name: 'model', mountPath: MODEL_CLAIM_DIRECTORY, readOnly: true },
      },
    ];
  }
  const reference = parseModelImage(uri);
  if (reference === undefined) return [];
  const image = { reference, ...(imagePullPolicy === undefined ? {} : { pullPolicy: imagePullPolicy }) };
  return [
    { volume: { name: 'model', image }, mount: { name: 'model', mountPath: MODEL_IMAGE_DIRECTORY, readOnly: true } },
  ];
}

type Tolerations = NonNullable<ModelRevision['spec']['resolved']['pod']['tolerations']>;

function tolerations(own: Tolerations): Tolerations {
  const added = NODE_LOSS_TAINTS.filter((taint) => !own.some(({ key }) => key === taint)).map((key) => ({
    key,
    operator: 'Exists' as const,
    effect: 'NoExecute' as const,
    tolerationSeconds: NODE_LOSS_SECONDS,
  }));
  return [...own, ...added];
}

function environment(revision: ModelRevision, options: PodSpecOptions): EnvironmentVariable[] {
  const { model, runtime } = revision.spec.resolved;
  const subject = { namespace: revision.metadata.namespace ?? '', revision: revision.metadata.name, pod: options.name };
  const names = RUNTIME_ENVIRONMENT;
  const { secretName } = model;
  return [
    // The kubelet reads `$$` as `$`, and `$(NAME)` as a variable.
    {
      name: names.specification,
      value: JSON.stringify(specification(revision, options.timeoutSeconds)).replaceAll('$', '$$$$'),
    },
    { name: names.podName, value: options.name },
    { name: names.podUid, valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: names.podHost, valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: names.gateways, value: options.gateways.join(',') },
    { name: names.announceToken, value: signToken(options.key, 'announce', subject) },
    { name: names.drainToken, value: signToken(options.key, 'drain', subject) },
    { name: names.httpPort, value: String(RUNTIME_PORTS.http) },
    { name: names.grpcPort, value: String(RUNTIME_PORTS.grpc) },
    { name: names.controlPort, value: String(RUNTIME_PORTS.control) },
    { name: names.metricsPort, value: String(RUNTIME_PORTS.metrics) },
    { name: names.modelDirectory, value: MODEL_DIRECTORY },
    { name: names.modelCacheBytes, value: String(quantityBytes(options.settings.modelCacheSize) ?? 0) },
    { name: names.terminationLog, value: TERMINATION_LOG },
    { name: names.logLevel, value: options.logLevel },
    ...(secretName === undefined ? [] : credentials(secretName)),
    ...(runtime.env ?? []),
  ];
}

/** Those keys that a Secret has; the others stay unset. */
function credentials(secret: string): EnvironmentVariable[] {
  return Object.entries(MODEL_SECRET_ENVIRONMENT).map(([key, name]) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key, optional: true } },
  }));
}

function specification({ metadata, spec }: ModelRevision, timeoutSeconds: number): RuntimeSpecification {
  const { model, runtime, batching } = spec.resolved;
  return {
    namespace: metadata.namespace ?? '',
    function: spec.functionName,
    revision: metadata.name,
    model: { uri: model.uri, ...(model.sha256 === undefined ? {} : { sha256: model.sha256 }) },
    executionProviders: runtime.executionProviders,
    instances: runtime.instances,
    intraOpThreads: runtime.intraOpThreads,
    ...(runtime.session === undefined ? {} : { session: runtime.session }),
    batching,
    timeoutSeconds,
  };
}

/** The API takes a number or text for a quantity and stores text. */
function quantities(resources: ModelRevision['spec']['resolved']['resources']): {
  readonly limits: Record<string, string>;
  readonly requests: Record<string, string>;
} {
  const text = (map: Readonly<Record<string, number | string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([name, quantity]) => [name, String(quantity)]));
  return { limits: text(resources.limits), requests: text(resources.requests) };
}
