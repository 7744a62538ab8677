import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from '@jest/globals';
import type { TensorFacts } from '../../../common/wire/announcement.ts';
import { FakeModel } from '../../fake-model.ts';
import { InferenceError, type Tensor } from '../../inference.ts';
import { checkRequest } from '../../protocol/check-request.ts';
import { parseRequest } from '../../protocol/parse-request.ts';
import { findExampleInputs } from './example-inputs.ts';
import { openApiDocument } from './openapi-document.ts';

type Facts = Record<'inputs' | 'outputs', readonly TensorFacts[]>;

const DATATYPES = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'];
const MODELS: Record<string, Facts> = {
  digits: {
    inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 64] }],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 10] },
    ],
  },
  'voice-activity': {
    inputs: [
      { name: 'input', datatype: 'FP32', shape: [-1, -1] },
      { name: 'state', datatype: 'FP32', shape: [2, -1, 128] },
      { name: 'sr', datatype: 'INT64', shape: [] },
    ],
    outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 1] }],
  },
  'every datatype': {
    inputs: [...DATATYPES, 'FP16', 'FP32', 'FP64', 'BYTES'].map((datatype) => ({
      name: `a/${datatype}:0 {x}`,
      datatype,
      shape: [2],
    })),
    outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1, -1] }],
  },
  'any shape': {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [], isAnyShape: true }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [] }],
  },
  'without inputs': { inputs: [], outputs: [{ name: 'y', datatype: 'FP16', shape: [] }] },
};

interface Document {
  readonly paths: Readonly<Record<string, { readonly post?: Infer }>>;
}
interface Infer {
  readonly requestBody: {
    readonly content: Readonly<Record<string, { readonly schema: object; readonly example?: object }>>;
  };
}

async function documentOf(model: Facts, name = 'digits'): Promise<Document> {
  const example = await findExampleInputs(new FakeModel(model));
  return openApiDocument({ name, version: `${name}-00001`, model, example }) as unknown as Document;
}

function requestOf(document: Document): { readonly schema: object; readonly example?: object } {
  const infer = Object.entries(document.paths).find(([path]) => path.endsWith('/infer'))?.[1];
  return infer?.post?.requestBody.content['application/json'] ?? { schema: {} };
}

describe.each(Object.entries(MODELS))('the document of %s', (_name, model) => {
  test('is OpenAPI', async () => {
    const document = await documentOf(model);
    expect(await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>)).toEqual({
      valid: true,
    });
  });

  test('has an example that its own schema and the runtime take', async () => {
    const { schema, example } = requestOf(await documentOf(model));
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect([validate(example), validate.errors]).toEqual([true, null]);
    expect(() => checkRequest(parseRequest({}, Buffer.from(JSON.stringify(example))), model)).not.toThrow();
  });
});

test('its schema takes what the example of the repository sends, and refuses what the runtime would', async () => {
  const { schema } = requestOf(await documentOf(MODELS['digits'] ?? { inputs: [], outputs: [] }));
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  const path = join(import.meta.dirname, '..', '..', '..', 'examples', 'digits', 'request.json');
  expect(validate(JSON.parse(readFileSync(path, 'utf8')))).toBe(true);
  const pixels = { name: 'pixels', datatype: 'FP32', shape: [1, 64], data: [0] };
  expect(validate({ inputs: [pixels], outputs: [{ name: 'label' }] })).toBe(true);
  expect(validate({ inputs: [{ ...pixels, data: undefined, parameters: { binary_data_size: 256 } }] })).toBe(true);
  for (const wrong of [
    { ...pixels, name: 'pixel' },
    { ...pixels, datatype: 'FP64' },
    { ...pixels, shape: [1, 63] },
    { ...pixels, shape: [64] },
    { ...pixels, data: ['a'] },
    { ...pixels, parameters: { binary_data_size: 256 } },
  ]) {
    expect([wrong, validate({ inputs: [wrong] })]).toEqual([wrong, false]);
  }
  expect(validate({ inputs: [] })).toBe(false);
});

test('a name that is no part of a path is escaped in one', async () => {
  const document = await documentOf(MODELS['digits'] ?? { inputs: [], outputs: [] }, 'a b/{c}');
  expect(Object.keys(document.paths)).toContain('/v2/models/a%20b%2F%7Bc%7D/infer');
});

describe('an example', () => {
  const facts = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }], outputs: [] };
  const model = (runs: (x: Tensor) => boolean): Pick<FakeModel, 'facts' | 'infer'> => {
    const fake = new FakeModel(facts);
    return {
      facts: fake.facts,
      infer: (request) => {
        const [x] = request.inputs;
        if (x === undefined || !runs(x)) return Promise.reject(new InferenceError('No.'));
        return fake.infer(request);
      },
    };
  };

  test('is of the first shape that the model runs on', async () => {
    const tried: string[] = [];
    const found = await findExampleInputs(
      model(({ shape }) => {
        tried.push(String(shape));
        return shape[1] === 224;
      }),
    );
    expect(tried).toEqual(['1,1', '1,8', '1,64', '1,224']);
    expect(found).toMatchObject([{ name: 'x', shape: [1, 224] }]);
  });

  test('is left out where the model runs on none', async () => {
    const example = await findExampleInputs(model(() => false));
    expect(example).toBeUndefined();
    const document = openApiDocument({ name: 'm', version: 'm-1', model: facts, example }) as unknown as Document;
    expect(requestOf(document)).not.toHaveProperty('example');
  });

  test('is left out where the inputs are too large to be shown', async () => {
    const inputs = [{ name: 'x', datatype: 'UINT8', shape: [-1, 1000, 1000] }];
    expect(await findExampleInputs(new FakeModel({ inputs }))).toBeUndefined();
  });

  test('a model that is lost is not tried on', async () => {
    const lost = { facts: new FakeModel(facts).facts, infer: () => Promise.reject(new Error('The thread ended.')) };
    await expect(findExampleInputs(lost)).rejects.toThrow('The thread ended.');
  });
});
