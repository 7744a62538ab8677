/** The methods that say what is served: server, model and repository. */
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import { decideAdmission } from '../admission/decide-admission.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import type { Model } from '../inference.ts';
import { modelMetadata, SERVER_METADATA } from '../server/metadata.ts';
import { modelConfiguration, type TensorConfiguration } from '../server/model-configuration.ts';
import { modelStatistics } from '../server/statistics-answer.ts';
import type { GrpcCall } from './grpc-call.ts';
import { checkModel, type InferenceServices } from './inference.ts';
import * as messages from './messages.ts';
import { CallError } from './call-error.ts';
import { unary, type Method } from './unary-method.ts';

export interface ModelMethodsOptions extends InferenceServices {
  /** What the model's configuration is told from. */
  readonly specification: Pick<RuntimeSpecification, 'function' | 'instances' | 'batching'>;
}

/** Numbers of the enum DataType. */
const DATA_TYPES: Readonly<Record<string, number>> = {
  TYPE_BOOL: 1,
  TYPE_UINT8: 2,
  TYPE_UINT16: 3,
  TYPE_UINT32: 4,
  TYPE_UINT64: 5,
  TYPE_INT8: 6,
  TYPE_INT16: 7,
  TYPE_INT32: 8,
  TYPE_INT64: 9,
  TYPE_FP16: 10,
  TYPE_FP32: 11,
  TYPE_FP64: 12,
  TYPE_STRING: 13,
};

export function modelMethods(services: ModelMethodsOptions): Readonly<Record<string, Method>> {
  const { gate, name, version } = services;
  const isReady = (): boolean => gate.phase === 'Ready';

  /** The model, or undefined once the call is refused. */
  const warm = (call: GrpcCall): Model | undefined => {
    const model = services.model();
    const refusal = model === undefined ? 'NotReady' : decideAdmission(gate, call.headers, 0);
    if (refusal === undefined) return model;
    call.refuse(refusal);
    return undefined;
  };

  return {
    ServerLive: unary(messages.Empty, messages.ServerLiveResponse, () => ({ live: true })),
    ServerReady: unary(messages.Empty, messages.ServerReadyResponse, () => ({ ready: isReady() })),
    ModelReady: unary(messages.ModelRequest, messages.ModelReadyResponse, (asked) => {
      checkModel(services, asked.name, asked.version);
      return { ready: isReady() };
    }),
    ServerMetadata: unary(messages.Empty, messages.ServerMetadataResponse, () => SERVER_METADATA),
    ModelMetadata: unary(messages.ModelRequest, messages.ModelMetadataResponse, (asked, call) => {
      checkModel(services, asked.name, asked.version);
      const model = warm(call);
      return model && modelMetadata(name, version, model.facts, model.executionProviders);
    }),
    ModelConfig: unary(messages.ModelRequest, messages.ModelConfigResponse, (asked, call) => {
      checkModel(services, asked.name, asked.version);
      const model = warm(call);
      if (model === undefined) return undefined;
      const config = modelConfiguration(services.specification, model.facts, model.executionProviders);
      return { config: { ...config, input: config.input.map(numbered), output: config.output.map(numbered) } };
    }),
    ModelStatistics: unary(messages.ModelRequest, messages.ModelStatisticsResponse, (asked) => {
      if (asked.name !== '') checkModel(services, asked.name, asked.version);
      return { model_stats: [modelStatistics(name, version, services.metrics.statistics)] };
    }),
    RepositoryIndex: unary(messages.RepositoryIndexRequest, messages.RepositoryIndexResponse, ({ ready }) => {
      const state = isReady() ? 'READY' : 'UNAVAILABLE';
      return { models: ready && !isReady() ? [] : [{ name, version, state, reason: '' }] };
    }),
    RepositoryModelLoad: fixed,
    RepositoryModelUnload: fixed,
  };
}

function numbered({ name, data_type, dims }: TensorConfiguration): {
  name: string;
  data_type: number;
  dims: readonly number[];
} {
  return { name, data_type: DATA_TYPES[data_type] ?? 0, dims };
}

/** A pod serves one revision of one function, for as long as it lives. */
const fixed: Method = (_call, fail) => {
  fail(
    new CallError(GRPC_STATUS.UNIMPLEMENTED, 'Models are not loaded or unloaded here; apply a ModelFunction instead.'),
  );
};
