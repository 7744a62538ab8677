/** What `import … from 'pilotlight/client'` gives. It runs wherever fetch does: Node 20 and newer, browsers, Deno, Bun, edge workers. */
export { fromFloat16, toFloat16 } from './float16.ts';
export type { CallOptions } from './connection.ts';
export { InferenceClient, type ClientOptions } from './inference-client.ts';
export { InferenceError } from './inference-error.ts';
export type { DurationStatistics, ModelMetadata, ModelStatistics, ServerMetadata, TensorMetadata } from './metadata.ts';
export type { InferenceResult, InferOptions, ModelClient } from './model-client.ts';
export type { Inputs, ModelSchema, Outputs, TensorSchema } from './model-schema.ts';
export { texts, type Datatype, type InputTensor, type OutputTensor, type Shape } from './tensors.ts';
