/** Updates of a ModelRevision that an API server must take or refuse; see model-function.cases.ts. */
import type { FieldCause } from '../object.ts';

export interface UpdateCase {
  readonly title: string;
  /** Merged into the spec of `MODEL_REVISION_SPEC`, field by field at its top. */
  readonly change: object;
  /** Each of these must be among the faults; none: the update is taken. */
  readonly causes: readonly FieldCause[];
}

const model = { uri: 's3://models/digits/model.onnx' };
const IMMUTABLE = 'is immutable; change the ModelFunction, which makes a new revision';

/** Of the revision `digits-00001`, which must be taken as it is. */
export const MODEL_REVISION_SPEC = {
  functionName: 'digits',
  template: { model, pod: { affinity: { nodeAffinity: { weight: 1 } } } },
  resolved: {
    model,
    runtime: { executionProviders: ['CPU'], instances: 1, intraOpThreads: 1, image: 'registry.example/runtime:1' },
    batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
    resources: {},
    pod: {},
  },
} as const;

const { resolved } = MODEL_REVISION_SPEC;

export const MODEL_REVISION_UPDATE_CASES: readonly UpdateCase[] = [
  { title: 'nothing', change: {}, causes: [] },
  { title: 'the replicas', change: { replicas: 3 }, causes: [] },
  {
    title: 'the function',
    change: { functionName: 'letters' },
    causes: [
      { field: 'spec.functionName', message: `Invalid value: "string": ${IMMUTABLE}` },
      { field: 'metadata.name', message: `Invalid value: "object": must start with the function's name and "-"` },
    ],
  },
  {
    title: 'what the user set',
    change: { template: { model: { uri: 's3://models/digits/other.onnx' } } },
    causes: [{ field: 'spec.template', message: `Invalid value: "object": ${IMMUTABLE}` }],
  },
  {
    title: 'a part that no schema describes',
    change: { template: { model, pod: { affinity: { nodeAffinity: { weight: 2 } } } } },
    causes: [{ field: 'spec.template', message: `Invalid value: "object": ${IMMUTABLE}` }],
  },
  {
    title: 'what was resolved',
    change: { resolved: { ...resolved, runtime: { ...resolved.runtime, image: 'registry.example/runtime:2' } } },
    causes: [{ field: 'spec.resolved', message: `Invalid value: "object": ${IMMUTABLE}` }],
  },
  {
    title: 'a default that is missing from what was resolved',
    change: { resolved: { ...resolved, runtime: {} } },
    causes: [{ field: 'spec.resolved.runtime.image', message: 'Required value' }],
  },
  {
    title: 'fewer replicas than none',
    change: { replicas: -1 },
    causes: [
      {
        field: 'spec.replicas',
        message: 'Invalid value: -1: spec.replicas in body should be greater than or equal to 0',
      },
    ],
  },
];
