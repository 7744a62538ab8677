/** What whoever installs the operator decides about every runtime pod, as against what a function's author does. */

export interface PodSettings {
  /** Kubernetes' own by default: Always for the tag `latest`, otherwise IfNotPresent. */
  readonly imagePullPolicy: ImagePullPolicy | undefined;
  /** Secrets of the function's namespace. */
  readonly imagePullSecrets: readonly string[];
  /** Whether a node autoscaler may remove a node for all that such a pod is on it. */
  readonly safeToEvict: boolean;
  /** Costs each pod 300 ms of its start: what is fetched then needs a volume. */
  readonly readOnlyRootFilesystem: boolean;
  /** What fetched models may take on the disk of a pod, as a quantity; no model may be larger. */
  readonly modelCacheSize: string;
  /** Whether the pods say where their metrics are, for a Prometheus that looks for that on pods. */
  readonly scrapeAnnotations: boolean;
}

export const IMAGE_PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
export type ImagePullPolicy = (typeof IMAGE_PULL_POLICIES)[number];

export const DEFAULT_POD_SETTINGS: PodSettings = {
  imagePullPolicy: undefined,
  imagePullSecrets: [],
  safeToEvict: true,
  readOnlyRootFilesystem: false,
  modelCacheSize: '16Gi',
  scrapeAnnotations: false,
};
