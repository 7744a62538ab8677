/** Tensors through requests and responses and back, whatever they are; and bytes that are no request. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Tensor } from '../inference.ts';
import { checkRequest } from './check-request.ts';
import { responseEncoder } from './encode-response.ts';
import { HEADER_LENGTH, parseRequest, type ParsedRequest } from './parse-request.ts';
import { parseRawRequest } from './parse-raw-request.ts';
import { ProtocolError } from './protocol-error.ts';
import { oddDocuments, requests } from './request.arbitrary.ts';
import { tensors } from './tensor.arbitrary.ts';

const encode = responseEncoder('digits', 'digits-00001');

/** Tensors with their data as plain arrays, so that views and copies compare equal. */
function plain(list: readonly Tensor[]): unknown[] {
  return list.map(({ data, ...rest }) => ({ ...rest, data: [...data] }));
}

/** A response is read as a request: both hold tensors in the same form. */
function reread(request: ParsedRequest, outputs: readonly Tensor[]): ParsedRequest {
  const { body, jsonLength } = encode(request, outputs);
  const json = body.toString('utf8', 0, jsonLength);
  const renamed = Buffer.from(`{"inputs":${json.slice(json.indexOf('"outputs":') + '"outputs":'.length)}`, 'utf8');
  return jsonLength === undefined
    ? parseRequest({}, renamed)
    : parseRequest({ [HEADER_LENGTH]: String(renamed.length) }, Buffer.concat([renamed, body.subarray(jsonLength)]));
}

describe('whatever the tensors', () => {
  test('a JSON response holds them exactly', () => {
    fc.assert(
      fc.property(tensors, (outputs) => {
        expect(plain(reread({ inputs: [], binaryOutput: false }, outputs).inputs)).toEqual(plain(outputs));
      }),
    );
  });

  test('a binary response holds them exactly', () => {
    fc.assert(
      fc.property(tensors, (outputs) => {
        expect(plain(reread({ inputs: [], binaryOutput: true }, outputs).inputs)).toEqual(plain(outputs));
      }),
    );
  });

  test('a request may mix JSON and binary, at any alignment', () => {
    fc.assert(
      fc.property(requests, ({ inputs, json, blobs }) => {
        const request = parseRequest({ [HEADER_LENGTH]: String(json.length) }, Buffer.concat([json, ...blobs]));
        expect(plain(request.inputs)).toEqual(plain(inputs));
      }),
    );
  });

  test('binary tensors of a request are views of its body', () => {
    const json = Buffer.from(
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}',
    );
    const body = Buffer.concat([json, Buffer.alloc(4)]);
    const [x] = parseRequest({ [HEADER_LENGTH]: String(json.length) }, body).inputs;
    expect(x?.data.buffer).toBe(body.buffer);
  });
});

describe('whatever the bytes', () => {
  const facts = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  };
  const refused = (headers: Record<string, string>, body: Buffer): void => {
    try {
      if (headers[HEADER_LENGTH] === '0') parseRawRequest(facts.inputs, body);
      else checkRequest(parseRequest(headers, body), facts);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
      expect((error as ProtocolError).status).toBeGreaterThanOrEqual(400);
      expect((error as ProtocolError).status).toBeLessThan(500);
      expect((error as ProtocolError).message.length).toBeLessThan(1000);
    }
  };

  test('they are a request or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.option(fc.nat(300)), (bytes, length) => {
        refused(length === null ? {} : { [HEADER_LENGTH]: String(length) }, Buffer.from(bytes));
      }),
    );
  });

  test('any JSON is a request or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (json) => {
        refused({}, Buffer.from(json));
      }),
    );
  });

  test('a request with any part replaced by any JSON is a request or a ProtocolError', () => {
    fc.assert(
      fc.property(oddDocuments, fc.boolean(), (document, binary) => {
        const json = Buffer.from(JSON.stringify(document));
        refused(
          binary ? { [HEADER_LENGTH]: String(json.length) } : {},
          binary ? Buffer.concat([json, Buffer.alloc(8)]) : json,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('depth does not matter', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const inputs = (data: string): Buffer =>
      Buffer.from(`{"inputs":[{"name":"x","datatype":"INT64","shape":[1,1],"data":${data}}],"n":1234567890123456789}`);
    refused({}, inputs(deep));
    refused({}, Buffer.from('['.repeat(200_000)));
  });
});
