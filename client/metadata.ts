/** What servers and models say about themselves, as the protocol and Triton's extensions name it. */
import type { Parameter } from './encode-request.ts';
import type { Shape } from './tensors.ts';

/** Of `GET /v2`. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  /** A `Datatype`, or one that only this server knows. */
  readonly datatype: string;
  /** -1 where the dimension is free. */
  readonly shape: Shape;
}

/** Of `GET /v2/models/M`. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Pilotlight's: sha256, size_bytes, batching, batching_reason, execution_providers and more. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

/** How often, and how long in all. */
export interface DurationStatistics {
  readonly count: number;
  /** Nanoseconds. */
  readonly ns: number;
}

/** Of `GET /v2/models/M/stats` (the `statistics` extension), since the model was loaded in the replica that answers. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch; 0 if there was none. */
  readonly last_inference?: number;
  /** Rows. */
  readonly inference_count: number;
  /** Runs; rows a run are the mean batch size. */
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<string, DurationStatistics>>;
  readonly batch_stats?: readonly {
    readonly batch_size: number;
    readonly compute_input: DurationStatistics;
    readonly compute_infer: DurationStatistics;
    readonly compute_output: DurationStatistics;
  }[];
}
