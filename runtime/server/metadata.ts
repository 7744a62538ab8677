/** What the protocol's metadata endpoints say. */
import type { ModelFacts, TensorFacts } from '../../common/wire/announcement.ts';
import { PRODUCT } from '../../common/api/names.ts';
import { PRODUCT_VERSION } from '../../common/api/version.ts';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export const SERVER_METADATA: ServerMetadata = {
  name: PRODUCT,
  version: PRODUCT_VERSION,
  extensions: [
    'binary_tensor_data',
    'classification',
    'model_configuration',
    // Its index alone.
    'model_repository',
    'parameters',
    'schedule_policy',
    'statistics',
  ],
};

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  /** As the protocol's list of platforms calls an ONNX model. */
  readonly platform: 'onnx_onnxv1';
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** Ours; the protocol allows strings, numbers and booleans here. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

export function modelMetadata(
  name: string,
  version: string,
  facts: ModelFacts,
  executionProviders: readonly string[],
): ModelMetadata {
  return {
    name,
    versions: [version],
    platform: 'onnx_onnxv1',
    inputs: facts.inputs.map(asProtocol),
    outputs: facts.outputs.map(asProtocol),
    parameters: {
      sha256: facts.sha256,
      size_bytes: facts.sizeBytes,
      batching: facts.batching.enabled,
      batching_reason: facts.batching.reason,
      ...(facts.batching.maxBatchSize !== undefined && { batching_max_size: facts.batching.maxBatchSize }),
      execution_providers: executionProviders.join(','),
    },
  };
}

/** A tensor of any shape looks like a scalar there: the protocol has no word for it. */
function asProtocol({ name, datatype, shape }: TensorFacts): TensorFacts {
  return { name, datatype, shape };
}
