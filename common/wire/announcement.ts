/** "I am ready": what a runtime pod tells the gateways the moment its model is warm, 0.4 to 1 s before the kubelet's status says so. */

/** Where a pod can be reached. Ports are part of the address because in local mode every pod shares one host. */
export interface PodAddress {
  readonly host: string;
  readonly ports: { readonly http: number; readonly grpc?: number; readonly control: number };
}

export interface Announcement extends PodAddress {
  readonly namespace: string;
  readonly revision: string;
  readonly pod: string;
  readonly uid: string;
  /** What was really used, in the order of the model's providers; the operator shows a fall-back in the function's status. */
  readonly executionProviders?: readonly string[];
  /** The loaded model, for the function's status. */
  readonly model?: ModelFacts;
  /** Milliseconds since the process began that each phase of the start took, for the cold-start histogram and server-timing. */
  readonly phases?: Readonly<Record<string, number>>;
}

export interface TensorFacts {
  readonly name: string;
  /** Open Inference Protocol's name: FP32, INT64, BYTES, … */
  readonly datatype: string;
  /** -1 where the dimension is free. */
  readonly shape: readonly number[];
  /** The model takes any shape, of any rank; `shape` is empty then. Known in the runtime alone: announcements leave it out. */
  readonly isAnyShape?: boolean;
}

export interface ModelFacts {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  readonly batching: {
    readonly enabled: boolean;
    readonly reason: string;
    /** The most rows of one run, and what it was chosen by; once measured, so not in the announcement. */
    readonly maxBatchSize?: number;
    readonly measured?: readonly { readonly rows: number; readonly rowsPerSecond: number }[];
  };
}

export const ANNOUNCEMENTS_PATH = '/v1/announcements';
