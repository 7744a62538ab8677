import { describe, expect, test } from '@jest/globals';
import { MAX_BYTES_ELEMENTS } from './bytes-elements.ts';
import { MAX_JSON_BYTES } from './parse-json.ts';
import { HEADER_LENGTH, parseRequest } from './parse-request.ts';
import { parseRawRequest } from './parse-raw-request.ts';
import { ProtocolError } from './protocol-error.ts';

const x = { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] };

function parse(document: unknown, tail = Buffer.alloc(0)): ReturnType<typeof parseRequest> {
  const json = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  return parseRequest({ [HEADER_LENGTH]: String(json.length) }, Buffer.concat([json, tail]));
}

function elements(input: object | string, Type: typeof Float32Array | typeof BigInt64Array): unknown[] {
  const document = typeof input === 'string' ? input : JSON.stringify(input);
  const [tensor] = parse(`{"inputs":[${document}]}`).inputs;
  const bytes = tensor?.data as Uint8Array<ArrayBuffer>;
  return [...new Type(bytes.buffer)];
}

describe('a JSON request', () => {
  test('may be flat or nested', () => {
    expect(elements(x, Float32Array)).toEqual([1, 2, 3, 4]);
    expect(elements({ ...x, data: [[1, 2], [3, 4]] }, Float32Array)).toEqual([1, 2, 3, 4]); // prettier-ignore
  });

  test('says NaN and Infinity as strings', () => {
    expect(elements({ ...x, data: ['NaN', 'Infinity', '-Infinity', 1e-50] }, Float32Array)).toEqual([
      NaN,
      Infinity,
      -Infinity,
      0,
    ]);
  });

  test('has exact integers beyond 2^53', () => {
    const input = '{"name":"x","datatype":"INT64","shape":[3],"data":[9007199254740993,-9223372036854775808,7]}';
    expect(elements(input, BigInt64Array)).toEqual([9007199254740993n, -9223372036854775808n, 7n]);
  });

  test('takes a long integer in a float tensor beside a 64-bit one', () => {
    const both =
      '{"inputs":[{"name":"i","datatype":"INT64","shape":[],"data":[1]},{"name":"f","datatype":"FP64","shape":[1],"data":[12345678901234567890]}]}';
    const bytes = parse(both).inputs[1]?.data as Uint8Array<ArrayBuffer>;
    expect(new Float64Array(bytes.buffer)[0]).toBe(12345678901234567890);
  });

  test('may be nested as deep beside a long integer as without one', () => {
    const depth = 50_000;
    const more = `"more":{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const input = '{"name":"x","datatype":"INT64","shape":[1],"data":[9007199254740993]}';
    expect(parse(`{${more},"inputs":[${input}]}`).inputs).toHaveLength(1);
  });

  test('keeps its id, the outputs it wants and in which form', () => {
    const request = parse({
      id: 'a',
      parameters: { binary_data_output: true },
      inputs: [],
      outputs: [{ name: 'y' }, { name: 'z', parameters: { binary_data: false, classification: 3 } }],
    });
    expect(request).toEqual({
      id: 'a',
      inputs: [],
      binaryOutput: true,
      outputs: [
        { name: 'y', binary: true },
        { name: 'z', binary: false, classification: 3 },
      ],
    });
  });

  test.each<[parameters: object, schedule: object]>([
    [{}, {}],
    [
      { priority: 1, timeout: 500 },
      { priority: 1, timeout: 500 },
    ],
    [{ priority: 0, timeout: 0, sequence_id: 0 }, {}],
    // Triton's: beyond the levels that there are, a priority is the default.
    [{ priority: 100, sequence_id: '' }, {}],
    [{ mine: 'x', another: 1.5, third: true }, {}],
  ])('with the parameters %j is scheduled by %j', (parameters, schedule) => {
    expect(parse({ parameters, inputs: [] })).toEqual({ inputs: [], binaryOutput: false, ...schedule });
  });

  test('takes the last of equal keys, and no key for more than a key', () => {
    const twice = parse('{"id":"a","id":"b","inputs":[]}');
    expect(twice.id).toBe('b');
    const text = '{"__proto__":{"id":"p","inputs":[]},"constructor":1,"inputs":[]}';
    expect(parse(text)).toEqual({ inputs: [], binaryOutput: false });
    expect(() => parse('{"__proto__":{"inputs":[]}}')).toThrow('inputs must be an array but is missing.');
    expect(() => parse('{"inputs":[],"parameters":{"__proto__":{"priority":1}}}')).toThrow('must be a string');
    expect(() => parse('{"inputs":[{"name":"x","shape":[1],"datatype":"__proto__","data":[1]}]}')).toThrow(
      'datatype must be',
    );
    expect(({} as { id?: unknown }).id).toBeUndefined();
  });

  test('wants every output when it names none', () => {
    expect(parse({ inputs: [], outputs: [] })).not.toHaveProperty('outputs');
  });
});

const binary = (size: unknown, rest: object = {}): object => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: { binary_data_size: size }, ...rest }],
});
const bytes = (shape: number[], size: number): object => binary(size, { datatype: 'BYTES', shape });

describe.each<[about: string, document: unknown, tail: string, says: string]>([
  ['no JSON', '{"inputs":[', '', 'The request is not JSON'],
  ['NaN without quotes', '{"inputs":[NaN]}', '', 'NaN and Infinity are written as strings'],
  ['a list', [], '', 'The request must be an object but is an array of 0.'],
  ['no inputs', {}, '', 'inputs must be an array but is missing.'],
  ['an id that is a number', { id: 1, inputs: [] }, '', 'id must be a string but is 1.'],
  ['a nameless input', { inputs: [{}] }, '', 'inputs[0].name must be a name but is missing.'],
  ['an unknown datatype', { inputs: [{ ...x, datatype: 'FP8' }] }, '', 'Input "x": datatype must be one of BOOL, '],
  [
    'BF16',
    { inputs: [{ ...x, datatype: 'BF16' }] },
    '',
    'Input "x": datatype BF16 is not served, because ONNX Runtime',
  ],
  [
    'a parameter that is a list',
    { parameters: { a: [] }, inputs: [] },
    '',
    'parameters."a" must be a string, a number or',
  ],
  [
    'an input’s parameter that is null',
    { inputs: [{ ...x, parameters: { a: null } }] },
    '',
    'Input "x": parameters."a" must',
  ],
  [
    'a sequence',
    { parameters: { sequence_id: 7 }, inputs: [] },
    '',
    'parameters.sequence_id: sequences are not served',
  ],
  [
    'a priority that is none',
    { parameters: { priority: -1 }, inputs: [] },
    '',
    'parameters.priority must be an integer',
  ],
  ['a timeout that is none', { parameters: { timeout: '1' }, inputs: [] }, '', 'parameters.timeout must be an integer'],
  [
    'more classes than are told',
    { inputs: [], outputs: [{ name: 'y', parameters: { classification: 1001 } }] },
    '',
    'parameters.classification must be an integer from 0 to 1000',
  ],
  ['a negative dimension', { inputs: [{ ...x, shape: [-1, 4] }] }, '', 'Input "x": shape[0] must be an integer from 0'],
  ['too many dimensions', { inputs: [{ ...x, shape: Array(33).fill(1) }] }, '', 'shape has 33 dimensions'],
  ['a shape beyond all memory', { inputs: [{ ...x, shape: Array(8).fill(1e9) }] }, '', 'has Infinity'],
  ['a shape of more than is sent', { inputs: [{ ...x, shape: [2 ** 31 - 1] }] }, '', 'data has 4 elements where'],
  ['data and binary data', binary(4, { data: [1] }), '1234', 'Input "x" must have exactly one of data and'],
  ['neither', { inputs: [{ ...x, data: undefined }] }, '', 'Input "x" must have exactly one of data and'],
  ['too few elements', { inputs: [{ ...x, data: [1] }] }, '', 'data has 1 elements where its shape [2, 2] has 4.'],
  ['ragged data', { inputs: [{ ...x, data: [[1, 2], [3]] }] }, '', 'has 1 elements in dimension 1 where'],
  ['mixed depths', { inputs: [{ ...x, data: [[1, 2], 3] }] }, '', 'flat or nested 2 deep, not a mixture'],
  [
    'deeper than the shape',
    {
      inputs: [
        {
          ...x,
          data: [
            [[1], 2],
            [3, 4],
          ],
        },
      ],
    },
    '',
    'element 0 must be a number within FP32',
  ],
  [
    'a string for a number',
    { inputs: [{ ...x, data: ['1', 2, 3, 4] }] },
    '',
    'element 0 must be a number within FP32, "NaN"',
  ],
  ['a number that FP32 lacks', { inputs: [{ ...x, data: [1, 1e39, 3, 4] }] }, '', 'element 1 must be'],
  [
    'a fraction for an integer',
    { inputs: [{ ...x, datatype: 'INT8', data: [1, 2, 3, 4.5] }] },
    '',
    'element 3 must be an integer from -128 to 127 but is 4.5',
  ],
  [
    'an integer out of range',
    { inputs: [{ ...x, datatype: 'UINT8', data: [1, 2, 3, 256] }] },
    '',
    'element 3 must be an integer from 0 to 255',
  ],
  [
    'an integer that is not exact',
    '{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[1e18]}]}',
    '',
    'element 0 must be an integer from',
  ],
  [
    'an integer beyond 64 bits',
    '{"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[18446744073709551616]}]}',
    '',
    'to 18446744073709551615 but is 18446744073709551616',
  ],
  ['a number for a boolean', { inputs: [{ ...x, datatype: 'BOOL' }] }, '', 'element 0 must be true or false but is 1.'],
  ['a number for a string', { inputs: [{ ...x, datatype: 'BYTES' }] }, '', 'element 0 must be a string but is 1.'],
  ['fewer bytes than it says', binary(8), '1234', 'binary_data_size is 8, but only 4 bytes are left'],
  ['more bytes than it says', binary(4), '12345', '1 bytes follow the last binary tensor'],
  ['a size that the shape has not', binary(3), '123', 'FP32 of shape [1] takes 4 bytes, but it has 3.'],
  ['a size that is no number', binary('4'), '1234', 'binary_data_size must be an integer'],
  ['a string that goes past the end', bytes([1], 5), '\x02\0\0\0a', 'element 0 goes past the end'],
  ['too few strings', bytes([2], 5), '\x01\0\0\0a', 'has 2 elements, but its bytes hold only 1.'],
  ['too many strings', bytes([1], 10), '\x01\0\0\0a\x01\0\0\0a', 'has 1 elements, but its bytes hold more.'],
  ['more strings than there is memory for', bytes([MAX_BYTES_ELEMENTS + 1], 4), '1234', 'BYTES may have'],
  ['a nameless output', { inputs: [], outputs: [{}] }, '', 'outputs[0].name must be a name'],
  [
    'a form that is no boolean',
    { inputs: [], outputs: [{ name: 'y', parameters: { binary_data: 1 } }] },
    '',
    'parameters.binary_data must be true or false',
  ],
])('a request with %s', (_about, document, tail, says) => {
  // prettier-ignore
  test('is refused with a sentence that says so', () => {
    expect(() => parse(document, Buffer.from(tail, 'latin1'))).toThrow(ProtocolError);
    expect(() => parse(document, Buffer.from(tail, 'latin1'))).toThrow(says);
  });
});

describe('the length of the JSON', () => {
  test.each(['-1', '1e3', 'x', '3', ''])('cannot be %j of a body of 2 bytes', (length) => {
    expect(() => parseRequest({ [HEADER_LENGTH]: length }, Buffer.from('{}'))).toThrow(
      'Inference-Header-Content-Length must be a number up to the body\'s 2 bytes', // prettier-ignore
    );
  });

  test('is bounded', () => {
    expect(() => parseRequest({}, Buffer.alloc(MAX_JSON_BYTES + 1, ' '))).toThrow(
      expect.objectContaining({ status: 413 }),
    );
  });

  test('counts bytes that are UTF-8', () => {
    expect(() => parseRequest({}, Buffer.from([0x22, 0xff, 0x22]))).toThrow('not UTF-8');
  });
});

describe('a request without JSON', () => {
  const input = { name: 'x', datatype: 'FP32', shape: [-1, 2] };

  test('has as many rows as its bytes fill, and binary outputs', () => {
    const body = Buffer.alloc(24);
    expect(parseRawRequest([input], body)).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [3, 2], data: body }],
      binaryOutput: true,
    });
  });

  test('has one string where the input is BYTES', () => {
    const [tensor] = parseRawRequest([{ ...input, datatype: 'BYTES', shape: [-1] }], Buffer.from('\x01\0\0\0a')).inputs;
    expect(tensor?.shape).toEqual([1]);
  });

  test('is a vector where the input has any shape', () => {
    const [tensor] = parseRawRequest([{ ...input, shape: [], isAnyShape: true }], Buffer.alloc(12)).inputs;
    expect(tensor?.shape).toEqual([3]);
  });

  test.each([
    ['two inputs', [input, input], 8, 'needs a model of one input; this one has 2'],
    ['two free dimensions', [{ ...input, shape: [-1, -1] }], 8, 'has 2 free dimensions'],
    ['half a row', [input], 4, 'takes a multiple of 8 bytes, but the body has 4'],
    ['a fixed shape and other bytes', [{ ...input, shape: [1] }], 8, 'takes 4 bytes, but it has 8'],
    ['rows of nothing', [{ ...input, shape: [-1, 0] }], 8, 'takes 0 bytes, but it has 8'],
  ])('cannot be sent with %s', (_about, inputs, size, says) => {
    expect(() => parseRawRequest(inputs, Buffer.alloc(size))).toThrow(says);
  });
});
