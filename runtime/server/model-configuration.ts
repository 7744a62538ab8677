/** The protocol's extension `model_configuration`: what Triton's ModelConfig would say of this model, as the JSON form of that message. */
import type { ModelFacts, TensorFacts } from '../../common/wire/announcement.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';

export interface ModelConfiguration {
  readonly name: string;
  readonly platform: 'onnxruntime_onnx';
  readonly backend: 'onnxruntime';
  readonly version_policy: { readonly latest: { readonly num_versions: 1 } };
  /** Rows that may share a run; 0 where requests do not share runs, and then shapes are whole. */
  readonly max_batch_size: number;
  readonly input: readonly TensorConfiguration[];
  readonly output: readonly TensorConfiguration[];
  readonly instance_group: readonly {
    readonly name: string;
    readonly kind: 'KIND_GPU' | 'KIND_CPU';
    readonly count: number;
  }[];
  readonly dynamic_batching?: { readonly max_queue_delay_microseconds: number; readonly preserve_ordering: false };
  readonly default_model_filename: 'model.onnx';
}

export interface TensorConfiguration {
  readonly name: string;
  readonly data_type: string;
  /** Without the first one where the model has rows that batch. */
  readonly dims: readonly number[];
}

const MICROSECONDS = 1000;

export function modelConfiguration(
  { function: name, instances, batching }: Pick<RuntimeSpecification, 'function' | 'instances' | 'batching'>,
  facts: ModelFacts,
  executionProviders: readonly string[],
): ModelConfiguration {
  const { batching: found } = facts;
  // Clients ask once: that batches turn out not to pay changes none of the shapes that they send.
  const enabled = found.enabled || found.measured !== undefined;
  const tensor = ({ name: tensorName, datatype, shape }: TensorFacts): TensorConfiguration => ({
    name: tensorName,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: enabled ? shape.slice(1) : shape,
  });
  return {
    name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: enabled ? batching.maxBatchSize : 0,
    input: facts.inputs.map(tensor),
    output: facts.outputs.map(tensor),
    instance_group: [{ name, kind: executionProviders.includes('CUDA') ? 'KIND_GPU' : 'KIND_CPU', count: instances }],
    ...(enabled && {
      dynamic_batching: {
        max_queue_delay_microseconds: batching.maxDelayMilliseconds * MICROSECONDS,
        preserve_ordering: false,
      },
    }),
    default_model_filename: 'model.onnx',
  };
}
