/** `POST …/infer` in the document: a request with the model's own inputs, with an example of them, and its answer. */
import type { ModelFacts, TensorFacts } from '../../../common/wire/announcement.ts';
import type { Tensor } from '../../inference.ts';
import { encodeJsonElements } from '../../protocol/encode-json-elements.ts';
import { errorResponse, INTEGER, JSON_TYPE, type Operation } from './operation.ts';
import { tensorSchema, type Schema } from './tensor-schema.ts';

const BINARY_TYPE = 'application/octet-stream';
const LENGTH_HEADER = 'Inference-Header-Content-Length';

/** What clients see of the model. */
export type ServedModel = Pick<ModelFacts, 'inputs' | 'outputs'>;

/** Without inputs that the model runs on there is no example. */
export function inferOperation(name: string, model: ServedModel, example: readonly Tensor[] | undefined): Operation {
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

function requestSchema({ inputs, outputs }: ServedModel): Schema {
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

function responseSchema({ outputs }: ServedModel): Schema {
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
