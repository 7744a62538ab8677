/** The OpenAPI 3.1 document of one model's server: its paths, and its own inputs and outputs. Facts in, document out; nothing is looked up. */
import type { ModelFacts, TensorFacts } from '../../../common/wire/announcement.ts';
import type { Tensor } from '../../inference.ts';
import { encodeJsonElements } from '../../protocol/encode-json-elements.ts';
import { shapeText, tensorSchema, type Schema } from './tensor-schema.ts';

export interface OpenApiFacts {
  /** The model's name in paths. */
  readonly name: string;
  /** The revision's name. */
  readonly version: string;
  readonly model: Pick<ModelFacts, 'inputs' | 'outputs'>;
  /** Inputs that the model runs on; without them the document has no example. */
  readonly example: readonly Tensor[] | undefined;
}

const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/octet-stream';
const LENGTH_HEADER = 'Inference-Header-Content-Length';

export function openApiDocument({ name, version, model, example }: OpenApiFacts): Schema {
  const infer = inferOperation(name, model, example);
  return {
    openapi: '3.1.0',
    info: {
      title: name,
      version,
      description: `Model ${name}, revision ${version}, by the Open Inference Protocol version 2.\n\n${tensorList('Inputs', model.inputs)}\n\n${tensorList('Outputs', model.outputs)}`,
    },
    // Relative to this document, so that it holds behind a host and below a path alike.
    servers: [{ url: '.' }],
    tags: [{ name: 'inference' }, { name: 'model' }, { name: 'server' }],
    paths: {
      ...modelPaths(name, version, infer),
      '/v2': { get: read('serverMetadata', 'server', 'Name, version and extensions of the server', SERVER) },
      '/v2/health/live': { get: read('serverLive', 'server', 'Whether the server lives', flag('live')) },
      '/v2/health/ready': {
        get: withNotReady(read('serverReady', 'server', 'Whether inferences are answered', flag('ready'))),
      },
      '/v2/models/stats': { get: read('allStatistics', 'server', 'Counts and times of every model', STATISTICS) },
      '/v2/repository/index': { post: INDEX },
    },
    components: { schemas: { Error: ERROR }, responses: { Error: errorResponse('An error, in a sentence') } },
  };
}

/** Each path of the model twice: as it is, and with a version. */
function modelPaths(name: string, version: string, infer: Operation): Schema {
  const path = `/v2/models/${encodeURIComponent(name)}`;
  const metadata = (id: string): Operation =>
    withNotReady(read(`modelMetadata${id}`, 'model', 'Inputs, outputs and parameters of the model', MODEL));
  const paths = (id: string): Readonly<Record<string, Schema>> => ({
    '': { get: metadata(id) },
    '/infer': { post: { ...infer, operationId: `infer${id}` } },
    '/ready': {
      get: withNotReady(read(`modelReady${id}`, 'model', 'Whether the model answers inferences', flag('ready'))),
    },
    '/config': {
      get: withNotReady(read(`modelConfiguration${id}`, 'model', 'The model configuration, in Triton’s form', OBJECT)),
    },
    '/stats': { get: read(`modelStatistics${id}`, 'model', 'Counts and times of this replica', STATISTICS) },
  });
  const parameters = [{ name: 'version', in: 'path', required: true, schema: { enum: [version, '1'] } }];
  return Object.fromEntries([
    ...Object.entries(paths('')).map(([suffix, item]) => [path + suffix, item]),
    ...Object.entries(paths('OfVersion')).map(([suffix, item]) => [
      `${path}/versions/{version}${suffix}`,
      { parameters, ...item },
    ]),
  ]) as Schema;
}

interface Operation extends Schema {
  readonly responses: Schema;
}

function inferOperation(name: string, model: OpenApiFacts['model'], example: OpenApiFacts['example']): Operation {
  return {
    operationId: 'infer',
    tags: ['inference'],
    summary: `Runs ${name}`,
    description: `As JSON, or with tensors as bytes (the protocol’s binary tensor extension): the body is the JSON, then the bytes of each tensor that has \`binary_data_size\`, in order and with nothing between; the header ${LENGTH_HEADER} is the length of the JSON. Elements are little-endian; each of BYTES is its length as four bytes, then its bytes. With the length 0 the body is the bytes of the only input. Through a gateway a request may wait for a replica to start; its answer then has the header pilotlight-cold-start.`,
    parameters: [
      {
        name: LENGTH_HEADER,
        in: 'header',
        description: 'Bytes of JSON before the tensors’ bytes; only with a binary body.',
        schema: { type: 'integer', minimum: 0 },
      },
    ],
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: {
          schema: requestSchema(model),
          ...(example !== undefined && { example: exampleRequest(example) }),
        },
        [BINARY_TYPE]: { schema: { description: 'The JSON of the request, then the bytes of its tensors.' } },
      },
    },
    responses: {
      200: {
        description: 'The outputs',
        headers: {
          [LENGTH_HEADER]: { description: 'With binary outputs: bytes of JSON before them.', schema: INTEGER },
          'pilotlight-revision': { description: 'The revision that answered.', schema: { type: 'string' } },
          'pilotlight-cold-start': { description: 'Milliseconds that it waited for a replica.', schema: INTEGER },
          'server-timing': { description: 'Phases, in milliseconds.', schema: { type: 'string' } },
        },
        content: {
          [JSON_TYPE]: { schema: responseSchema(model) },
          [BINARY_TYPE]: { schema: { description: 'The JSON of the answer, then the bytes of its tensors.' } },
        },
      },
      400: errorResponse('No request for this model; the sentence names the input and what was expected'),
      413: errorResponse('Larger than what is taken'),
      415: errorResponse('A Content-Encoding that is not understood'),
      429: errorResponse('The queue is full', true),
      503: errorResponse('No replica in time, or expired while it waited', true),
      504: errorResponse('The run took longer than the function allows'),
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function requestSchema({ inputs, outputs }: OpenApiFacts['model']): Schema {
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string', description: 'Comes back as it was.' },
      parameters: {
        type: 'object',
        properties: {
          binary_data_output: { type: 'boolean', description: 'Outputs as bytes.' },
          priority: { type: 'integer', minimum: 0, description: '1 is the highest.' },
          timeout: { type: 'integer', minimum: 0, description: 'Microseconds that it may wait for its run.' },
        },
      },
      inputs: tensorsSchema(inputs, inputs.length),
      outputs: {
        type: 'array',
        description: 'Those that are wanted; all without it.',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { enum: outputs.map(({ name }) => name) },
            parameters: {
              type: 'object',
              properties: {
                binary_data: { type: 'boolean', description: 'As bytes.' },
                classification: {
                  type: 'integer',
                  minimum: 0,
                  description: 'The so many largest elements, as BYTES "value:index".',
                },
              },
            },
          },
        },
      },
    },
  };
}

function responseSchema({ outputs }: OpenApiFacts['model']): Schema {
  return {
    type: 'object',
    required: ['model_name', 'model_version', 'outputs'],
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      outputs: tensorsSchema(outputs, 0),
    },
  };
}

function tensorsSchema(facts: readonly TensorFacts[], fewest: number): Schema {
  return {
    type: 'array',
    minItems: fewest,
    maxItems: facts.length,
    ...(facts.length > 0 && { items: { anyOf: facts.map(tensorSchema) } }),
  };
}

function exampleRequest(example: readonly Tensor[]): Schema {
  const inputs = example.map((tensor) => {
    const { name, datatype, shape } = tensor;
    return { name, datatype, shape, data: JSON.parse(encodeJsonElements(tensor)) as unknown };
  });
  return { inputs };
}

function tensorList(title: string, facts: readonly TensorFacts[]): string {
  const lines = facts.map(({ name, datatype, shape }) => `- \`${name}\`: ${datatype} ${shapeText(shape)}`);
  return [`${title}:`, '', ...lines].join('\n');
}

function read(operationId: string, tag: string, summary: string, schema: Schema): Operation {
  return {
    operationId,
    tags: [tag],
    summary,
    responses: {
      200: { description: summary, content: { [JSON_TYPE]: { schema } } },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function withNotReady({ responses, ...operation }: Operation): Operation {
  return { ...operation, responses: { ...responses, 503: errorResponse('Not ready', true) } };
}

function errorResponse(description: string, retryable = false): Schema {
  const retryAfter = { description: 'Seconds; from a gateway.', schema: INTEGER };
  return {
    description,
    ...(retryable && { headers: { 'retry-after': retryAfter } }),
    content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
  };
}

function flag(name: string): Schema {
  return { type: 'object', required: [name], properties: { [name]: { type: 'boolean' } } };
}

const INTEGER: Schema = { type: 'integer', minimum: 0 };
const OBJECT: Schema = { type: 'object' };
const ERROR: Schema = {
  type: 'object',
  properties: {
    error: { type: 'string', description: 'What happened, to which object, and the way out.' },
    code: { type: 'string', description: 'Of errors that a gateway answers.' },
  },
};
const SERVER: Schema = {
  type: 'object',
  required: ['name', 'version', 'extensions'],
  properties: {
    name: { type: 'string' },
    version: { type: 'string' },
    extensions: { type: 'array', items: { type: 'string' } },
  },
};
const TENSORS: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: { type: 'string' },
      datatype: { type: 'string' },
      shape: { type: 'array', items: { type: 'integer', minimum: -1 } },
    },
  },
};
const MODEL: Schema = {
  type: 'object',
  required: ['name', 'platform', 'inputs', 'outputs'],
  properties: {
    name: { type: 'string' },
    versions: { type: 'array', items: { type: 'string' } },
    platform: { type: 'string' },
    inputs: TENSORS,
    outputs: TENSORS,
    parameters: OBJECT,
  },
};
const STATISTICS: Schema = {
  type: 'object',
  required: ['model_stats'],
  properties: { model_stats: { type: 'array', items: OBJECT } },
};
const INDEX: Operation = {
  operationId: 'repositoryIndex',
  tags: ['server'],
  summary: 'The models here: this one',
  requestBody: {
    content: { [JSON_TYPE]: { schema: { type: 'object', properties: { ready: { type: 'boolean' } } } } },
  },
  responses: {
    200: {
      description: 'The models',
      content: { [JSON_TYPE]: { schema: { type: 'array', items: OBJECT } } },
    },
    default: { $ref: '#/components/responses/Error' },
  },
};
