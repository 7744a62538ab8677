/** The OpenAPI 3.1 document of one model's server: its paths, and its own inputs and outputs. Facts in, document out; nothing is looked up. */
import type { TensorFacts } from '../../../common/wire/announcement.ts';
import type { Tensor } from '../../inference.ts';
import { inferOperation, type ServedModel } from './infer-operation.ts';
import { errorResponse, JSON_TYPE, read, withNotReady, type Operation } from './operation.ts';
import { shapeText, type Schema } from './tensor-schema.ts';

export interface OpenApiFacts {
  /** The model's name in paths. */
  readonly name: string;
  /** The revision's name. */
  readonly version: string;
  readonly model: ServedModel;
  /** Inputs that the model runs on; without them the document has no example. */
  readonly example: readonly Tensor[] | undefined;
}

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

function tensorList(title: string, facts: readonly TensorFacts[]): string {
  const lines = facts.map(({ name, datatype, shape }) => `- \`${name}\`: ${datatype} ${shapeText(shape)}`);
  return [`${title}:`, '', ...lines].join('\n');
}

function flag(name: string): Schema {
  return { type: 'object', required: [name], properties: { [name]: { type: 'boolean' } } };
}

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
