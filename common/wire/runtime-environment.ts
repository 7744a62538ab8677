/**
 * How the operator configures a runtime pod: names of environment variables, and the specification that one of them carries as JSON. Everything
 * is environment because each volume costs a pod 300 ms of start (the kubelet mounts in such steps).
 */
export const RUNTIME_ENVIRONMENT = {
  /** JSON of RuntimeSpecification. */
  specification: 'PILOTLIGHT_RUNTIME',
  podName: 'PILOTLIGHT_POD_NAME',
  podUid: 'PILOTLIGHT_POD_UID',
  /** The host that gateways reach this pod at. */
  podHost: 'PILOTLIGHT_POD_HOST',
  /** `host:port` of every gateway's control port, separated by commas. Empty: nobody to announce to. */
  gateways: 'PILOTLIGHT_GATEWAYS',
  announceToken: 'PILOTLIGHT_ANNOUNCE_TOKEN',
  /** What a drain request must carry as its bearer token. */
  drainToken: 'PILOTLIGHT_DRAIN_TOKEN',
  /** Ports to listen on; 0 takes a free one, which the announcement then names. */
  httpPort: 'PILOTLIGHT_HTTP_PORT',
  grpcPort: 'PILOTLIGHT_GRPC_PORT',
  controlPort: 'PILOTLIGHT_CONTROL_PORT',
  metricsPort: 'PILOTLIGHT_METRICS_PORT',
  /** Bytes of a request's body that are taken; 64 MiB if unset. */
  maxBodyBytes: 'PILOTLIGHT_MAX_BODY_BYTES',
  /** The one directory the runtime writes to: fetched models, by digest. */
  modelDirectory: 'PILOTLIGHT_MODEL_DIRECTORY',
  /** Bytes that may be in it; 16 GiB if unset. No model may be larger. */
  modelCacheBytes: 'PILOTLIGHT_MODEL_CACHE_BYTES',
  /** Where the reason of a failed start goes; the kubelet copies it into the pod's status. */
  terminationLog: 'PILOTLIGHT_TERMINATION_LOG',
  logLevel: 'PILOTLIGHT_LOG_LEVEL',
} as const;

/** What the runtime's image sets for glibc's allocator (its Dockerfile says why); who starts a runtime without the image sets the same. */
export const RUNTIME_ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '4194304' } as const;

/**
 * Flags of the Node that runs a runtime, as its image has them. V8 by itself lets the space of young objects grow to three times 32 MiB under load: the
 * process then took 230 to 270 MiB where it takes 185 with 16, and 150 with 4, whose more frequent collections cost a tenth of a request's CPU.
 */
export const RUNTIME_NODE_FLAGS = ['--max-semi-space-size=16'] as const;

/** As spec.runtime.instances has it. */
export const MOST_INSTANCES = 64;

export const BATCHING_MODES = ['Auto', 'On', 'Off'] as const;
export type BatchingMode = (typeof BATCHING_MODES)[number];

export const GRAPH_OPTIMIZATION_LEVELS = ['Disabled', 'Basic', 'Extended', 'Layout', 'All'] as const;

export const SWITCH = ['Enabled', 'Disabled'] as const;
type Switch = (typeof SWITCH)[number];

/** Options of ONNX Runtime's session that a user set; see spec.runtime.session. */
export interface SessionSettings {
  readonly graphOptimizationLevel?: (typeof GRAPH_OPTIMIZATION_LEVELS)[number];
  readonly interOpThreads?: number;
  readonly memoryArena?: Switch;
  readonly prepacking?: Switch;
  readonly spinning?: Switch;
  readonly deviceId?: number;
}

/** A ModelRevision's resolved template, as far as the runtime needs it. */
export interface RuntimeSpecification {
  readonly namespace: string;
  readonly function: string;
  readonly revision: string;
  readonly model: { readonly uri: string; readonly sha256?: string };
  /** In order of preference: CUDA, CPU. */
  readonly executionProviders: readonly string[];
  /** From 1 to MOST_INSTANCES. */
  readonly instances: number;
  readonly intraOpThreads: number;
  readonly session?: SessionSettings;
  readonly batching: {
    /** On if absent: a revision from before there was a choice. */
    readonly mode?: BatchingMode;
    readonly maxBatchSize: number;
    readonly maxDelayMilliseconds: number;
  };
  /** For requests that carry no timeout of their own (no gateway in front). */
  readonly timeoutSeconds: number;
}

/** Why a runtime could not serve its model; written to the termination log as JSON of StartFailure, shown on the function. */
export const START_FAILURES = {
  ConfigurationInvalid: 'The runtime was configured with something that it does not understand.',
  ModelNotFound: 'There is nothing at the model URI.',
  ModelFetchFailed: 'The model could not be fetched whole.',
  ModelDigestMismatch: 'What was fetched is not what sha256 pins.',
  ModelInvalid: 'ONNX Runtime cannot load what was fetched.',
  ModelUnsupported: 'The model has an input or output that cannot be served.',
  ExecutionProviderUnavailable: 'None of the execution providers exists on this machine.',
  WarmUpFailed: 'The model was loaded but its first run failed.',
  RuntimeHung: 'The process was restarted too often because runs did not end.',
} as const;
export type StartFailureReason = keyof typeof START_FAILURES;

export interface StartFailure {
  readonly reason: StartFailureReason;
  readonly message: string;
}

/** Bytes the kubelet keeps of a termination message. */
export const TERMINATION_MESSAGE_BYTES = 4096;

/** `POST` on the runtime's control port. `?ifIdle` answers 409 `busy` instead of draining when a request is in the pod. */
export const DRAIN_PATH = '/v1/drain';
