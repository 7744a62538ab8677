/**
 * The messages of the Open Inference Protocol's gRPC form with Triton's additions, as inference.proto has them; a test holds both equal. Of what no
 * client needs from a server that has one fixed model, nothing is here: unknown fields are passed over and unknown methods refused.
 */
import { MAX_BYTES_ELEMENTS } from '../protocol/bytes-elements.ts';
import { MAX_RANK } from '../protocol/element-count.ts';
import { BOOL, BYTES, DOUBLE, INT32, INT64, STRING, UINT64 } from './protobuf/kinds.ts';
import {
  map,
  message,
  optional,
  packed,
  partial,
  repeated,
  single,
  type Field,
  type MessageType,
  type ValueOf,
} from './protobuf/message.ts';
import { WIRE } from './protobuf/protobuf-reader.ts';

/** A model has at most 256 inputs and as many outputs; whoever names more is refused by name, not here. */
const MOST_TENSORS = 1_024;
const MOST_PARAMETERS = 256;

export const Empty = message({});

export const ServerLiveResponse = message({ live: single(1, BOOL) });
export const ServerReadyResponse = message({ ready: single(1, BOOL) });
/** Of ModelReady, ModelMetadata, ModelConfig and ModelStatistics. */
export const ModelRequest = message({ name: single(1, STRING), version: single(2, STRING) });
export const ModelReadyResponse = message({ ready: single(1, BOOL) });

export const ServerMetadataResponse = message({
  name: single(1, STRING),
  version: single(2, STRING),
  extensions: repeated(3, STRING, MOST_PARAMETERS),
});

const TensorMetadata = message({
  name: single(1, STRING),
  datatype: single(2, STRING),
  shape: repeated(3, INT64, MAX_RANK),
});
export const ModelMetadataResponse = message({
  name: single(1, STRING),
  versions: repeated(2, STRING, MOST_PARAMETERS),
  platform: single(3, STRING),
  inputs: repeated(4, TensorMetadata, MOST_TENSORS),
  outputs: repeated(5, TensorMetadata, MOST_TENSORS),
});

const InferParameter = message({
  bool_param: optional(1, BOOL),
  int64_param: optional(2, INT64),
  string_param: optional(3, STRING),
  double_param: optional(4, DOUBLE),
  uint64_param: optional(5, UINT64),
});
export type InferParameters = ReadonlyMap<string, Partial<ValueOf<typeof InferParameter>>>;
const parameters = (number: number): Field<InferParameters> => map(number, partial(InferParameter), MOST_PARAMETERS);

export const InferTensorContents = message({
  bool_contents: packed(1, WIRE.varint),
  int_contents: packed(2, WIRE.varint),
  int64_contents: packed(3, WIRE.varint),
  uint_contents: packed(4, WIRE.varint),
  uint64_contents: packed(5, WIRE.varint),
  fp32_contents: packed(6, WIRE.fixed32),
  fp64_contents: packed(7, WIRE.fixed64),
  bytes_contents: repeated(8, BYTES, MAX_BYTES_ELEMENTS),
});
export type InferTensorContents = ValueOf<typeof InferTensorContents>;

/** Of a request's inputs and a response's outputs alike. */
const InferTensor = message({
  name: single(1, STRING),
  datatype: single(2, STRING),
  shape: repeated(3, INT64, MAX_RANK),
  parameters: parameters(4),
  contents: optional(5, partial(InferTensorContents)),
});

const InferRequestedOutputTensor = message({ name: single(1, STRING), parameters: parameters(2) });

export const ModelInferRequest = message({
  model_name: single(1, STRING),
  model_version: single(2, STRING),
  id: single(3, STRING),
  parameters: parameters(4),
  inputs: repeated(5, InferTensor, MOST_TENSORS),
  outputs: repeated(6, InferRequestedOutputTensor, MOST_TENSORS),
  raw_input_contents: repeated(7, BYTES, MOST_TENSORS),
});
export type ModelInferRequest = ValueOf<typeof ModelInferRequest>;

export const ModelInferResponse = message({
  model_name: single(1, STRING),
  model_version: single(2, STRING),
  id: single(3, STRING),
  parameters: parameters(4),
  outputs: repeated(5, partial(InferTensor), MOST_TENSORS),
  raw_output_contents: repeated(6, BYTES, MOST_TENSORS),
});
export type ModelInferResponse = ValueOf<typeof ModelInferResponse>;

export const ModelStreamInferResponse = message({
  error_message: single(1, STRING),
  infer_response: optional(2, partial(ModelInferResponse)),
});
export type ModelStreamInferResponse = ValueOf<typeof ModelStreamInferResponse>;

/** Of ModelInput and ModelOutput, which number their dimensions differently. */
const modelTensor = (dims: number): MessageType<{ name: string; data_type: number; dims: readonly number[] }> =>
  message({ name: single(1, STRING), data_type: single(2, INT32), dims: repeated(dims, INT64, MAX_RANK) });
const ModelDynamicBatching = message({ max_queue_delay_microseconds: single(2, UINT64) });
export const ModelConfig = message({
  name: single(1, STRING),
  platform: single(2, STRING),
  max_batch_size: single(4, INT32),
  input: repeated(5, modelTensor(4), MOST_TENSORS),
  output: repeated(6, modelTensor(3), MOST_TENSORS),
  dynamic_batching: optional(11, ModelDynamicBatching),
  backend: single(17, STRING),
});
export const ModelConfigResponse = message({ config: optional(1, partial(ModelConfig)) });

const StatisticDuration = message({ count: single(1, UINT64), ns: single(2, UINT64) });
const duration = (number: number): Field<Partial<ValueOf<typeof StatisticDuration>> | undefined> =>
  optional(number, partial(StatisticDuration));
const InferStatistics = message({
  success: duration(1),
  fail: duration(2),
  queue: duration(3),
  compute_input: duration(4),
  compute_infer: duration(5),
  compute_output: duration(6),
  cache_hit: duration(7),
  cache_miss: duration(8),
});
const InferBatchStatistics = message({
  batch_size: single(1, UINT64),
  compute_input: duration(2),
  compute_infer: duration(3),
  compute_output: duration(4),
});
const ModelStatistics = message({
  name: single(1, STRING),
  version: single(2, STRING),
  last_inference: single(3, UINT64),
  inference_count: single(4, UINT64),
  execution_count: single(5, UINT64),
  inference_stats: optional(6, partial(InferStatistics)),
  batch_stats: repeated(7, partial(InferBatchStatistics), MOST_TENSORS),
});
export const ModelStatisticsResponse = message({ model_stats: repeated(1, partial(ModelStatistics), 1) });

export const RepositoryIndexRequest = message({ repository_name: single(1, STRING), ready: single(2, BOOL) });
const ModelIndex = message({
  name: single(1, STRING),
  version: single(2, STRING),
  state: single(3, STRING),
  reason: single(4, STRING),
});
export const RepositoryIndexResponse = message({ models: repeated(1, ModelIndex, MOST_TENSORS) });
