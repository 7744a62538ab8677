/** The protocol's extension `statistics`: Triton's form of what was counted. Durations are nanoseconds. */
import type { InferenceStatistics, Total } from './statistics.ts';
import { FAILURE_REASONS } from './statistics.ts';

const NANOSECONDS = 1e6;

export interface Duration {
  readonly count: number;
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<
      'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
      Duration
    >
  >;
  /** Of models that answer several times; there are none. */
  readonly response_stats: Readonly<Record<string, never>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: Duration;
    readonly compute_infer: Duration;
    readonly compute_output: Duration;
  }[];
  readonly memory_usage: readonly never[];
}

const NEVER: Duration = { count: 0, ns: 0 };

export function modelStatistics(name: string, version: string, statistics: InferenceStatistics): ModelStatistics {
  const batches = [...statistics.batches].sort(([left], [right]) => left - right);
  return {
    name,
    version,
    last_inference: Math.round(statistics.lastInference),
    inference_count: statistics.rows,
    execution_count: statistics.runs,
    inference_stats: {
      success: duration(statistics.success),
      fail: failed(statistics),
      queue: duration(statistics.queue),
      compute_input: duration(statistics.computeInput),
      compute_infer: duration(statistics.compute),
      compute_output: duration(statistics.computeOutput),
      cache_hit: NEVER,
      cache_miss: NEVER,
    },
    response_stats: {},
    batch_stats: batches.map(([size, { computeInput, compute, computeOutput }]) => ({
      batch_size: size,
      compute_input: duration(computeInput),
      compute_infer: duration(compute),
      compute_output: duration(computeOutput),
    })),
    memory_usage: [],
  };
}

function failed(statistics: InferenceStatistics): Duration {
  let count = 0;
  let milliseconds = 0;
  for (const reason of FAILURE_REASONS) {
    const total = statistics.failures(reason);
    count += total.count;
    milliseconds += total.milliseconds;
  }
  return duration({ count, milliseconds });
}

/** JSON prints a Number below 1e21 with all its digits, so what 64 bits hold is an integer there too. */
function duration({ count, milliseconds }: Total): Duration {
  return { count, ns: Math.round(milliseconds * NANOSECONDS) };
}
