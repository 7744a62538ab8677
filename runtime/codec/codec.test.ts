import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Abandoned } from '../admission/execution.ts';
import type { Tensor } from '../inference.ts';
import { packBytesElements } from '../protocol/bytes-elements.ts';
import { packTexts } from '../protocol/packed-texts.ts';
import { responseEncoder, type EncodedResponse } from '../protocol/encode-response.ts';
import { HEADER_LENGTH, parseRequest, type ParsedRequest } from '../protocol/parse-request.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { oddDocuments, requests } from '../protocol/request.arbitrary.ts';
import { tensors } from '../protocol/tensor.arbitrary.ts';
import { Codec } from './codec.ts';

let codec = new Codec('digits', 'digits-00001');

afterEach(async () => {
  await codec.close();
  codec = new Codec('digits', 'digits-00001');
});

const STAYS = { abandoned: false };

/** Spaces that make any JSON large. */
const ROOM = ' '.repeat(100 * 1024);
const binary = { name: 'b', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } };
const inputs = [
  { name: 'f', datatype: 'FP32', shape: [2, 2], data: [[1, 2], ['NaN', 0.5]] }, // prettier-ignore
  { name: 't', datatype: 'BYTES', shape: [3], data: ['a', '', 'é'] },
  { name: 'n', datatype: 'INT64', shape: [0], data: [] },
];

function body(document: object, tail = Buffer.alloc(0)): { headers: Record<string, string>; bytes: Buffer } {
  const json = Buffer.from(JSON.stringify(document) + ROOM);
  return { headers: { [HEADER_LENGTH]: String(json.length) }, bytes: Buffer.concat([json, tail]) };
}

/** Tensors with their data as plain arrays, so that views and copies compare equal. */
function plain(list: readonly Tensor[]): unknown[] {
  return list.map(({ data, ...rest }) => ({ ...rest, data: [...data] }));
}

/** What came of it: the request or answer, or the status and sentence that refuse it. */
async function outcome<T>(work: () => T | Promise<T>): Promise<T | { status: number; message: string }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { status: error.status, message: error.message };
  }
}

function plainRequest(request: Awaited<ReturnType<typeof outcome<ParsedRequest>>>): unknown {
  return 'inputs' in request ? { ...request, inputs: plain(request.inputs) } : request;
}

/** With its body as text, which is compared at once and not byte by byte. */
function plainAnswer(answer: Awaited<ReturnType<typeof outcome<EncodedResponse>>>): unknown {
  return 'body' in answer ? { ...answer, body: answer.body.toString('latin1') } : answer;
}

/** Each run waits for two threads to take turns, which a busy machine lets them do late. */
const RUNS = { numRuns: 60 };
const MOST_MILLISECONDS = 60_000;

describe('whatever it says', () => {
  test(
    'large JSON comes to the same as small JSON',
    async () => {
      const documents = fc.oneof(
        requests,
        fc.tuple(oddDocuments, fc.uint8Array({ minLength: 8, maxLength: 8 })).map(([document, bytes]) => ({
          json: Buffer.from(JSON.stringify(document)),
          blobs: [bytes],
        })),
        fc.record({ json: fc.string().map((text) => Buffer.from(text)), blobs: fc.constant([]) }),
      );
      await fc.assert(
        fc.asyncProperty(documents, fc.boolean(), async ({ json, blobs }, hasLength) => {
          const large = Buffer.concat([json, Buffer.from(ROOM)]);
          const headers = hasLength ? { [HEADER_LENGTH]: String(large.length) } : {};
          const bytes = Buffer.concat([large, ...blobs]);
          const expected = await outcome(() => parseRequest(headers, Buffer.from(bytes)));
          const parsed = await outcome(() => {
            const parsing = codec.parse(headers, bytes, STAYS);
            expect(parsing).toBeInstanceOf(Promise);
            return parsing;
          });
          expect(plainRequest(parsed)).toEqual(plainRequest(expected));
        }),
        RUNS,
      );
    },
    MOST_MILLISECONDS,
  );

  test(
    'a large answer comes to the same as a small one',
    async () => {
      const write = responseEncoder('digits', 'digits-00001');
      const large: Tensor = { name: 'large', datatype: 'UINT8', shape: [10_001], data: new Uint8Array(10_001).fill(7) };
      const request = fc.record({ id: fc.string(), binary: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) });
      await fc.assert(
        fc.asyncProperty(tensors, request, async (given, { id, binary }) => {
          const outputs = [...given.filter(({ name }) => name !== large.name), large];
          const asked: ParsedRequest = {
            id,
            inputs: [],
            binaryOutput: false,
            outputs: outputs.map(({ name }, index) => ({
              name,
              binary: name !== large.name && binary[index] === true,
            })),
          };
          const expected = await outcome(() => write(asked, outputs));
          const written = await outcome(() => {
            const writing = codec.encode(asked, outputs, STAYS);
            expect(writing).toBeInstanceOf(Promise);
            return writing;
          });
          expect(plainAnswer(written)).toEqual(plainAnswer(expected));
        }),
        RUNS,
      );
    },
    MOST_MILLISECONDS,
  );
});

describe('large JSON', () => {
  test('is read as small JSON is', async () => {
    const { headers, bytes } = body(
      { id: 'a', inputs: [...inputs, binary], outputs: [{ name: 'y' }] },
      Buffer.alloc(8, 7),
    );
    const expected = parseRequest(headers, Buffer.from(bytes));
    const parsing = codec.parse(headers, bytes, STAYS);
    expect(parsing).toBeInstanceOf(Promise);
    const parsed = await parsing;
    expect(plain(parsed.inputs)).toEqual(plain(expected.inputs));
    expect({ ...parsed, inputs: [] }).toEqual({ ...expected, inputs: [] });
  });

  test('is refused as small JSON is, and what follows is read', async () => {
    const wrong = body({ inputs: [{ ...inputs[0], data: [1] }] });
    await expect(codec.parse(wrong.headers, wrong.bytes, STAYS)).rejects.toThrow(ProtocolError);
    const right = body({ inputs });
    const both = [
      codec.parse(right.headers, Buffer.from(right.bytes), STAYS),
      codec.parse(right.headers, right.bytes, STAYS),
    ];
    for (const parsing of both) expect((await parsing).inputs).toHaveLength(3);
  });

  test('of a client that left is not read when its turn comes, and what follows is', async () => {
    const { headers, bytes } = body({ inputs });
    const first = codec.parse(headers, Buffer.from(bytes), STAYS);
    const left = codec.parse(headers, Buffer.from(bytes), { abandoned: true });
    const last = codec.parse(headers, bytes, STAYS);
    await first;
    await expect(left).rejects.toThrow(Abandoned);
    expect((await last).inputs).toHaveLength(3);
  });

  test('is not what a small head with large tensors is', () => {
    const json = Buffer.from(
      JSON.stringify({ inputs: [{ ...binary, shape: [100_000], parameters: { binary_data_size: 400_000 } }] }),
    );
    const headers = { [HEADER_LENGTH]: String(json.length) };
    expect(codec.parse(headers, Buffer.concat([json, Buffer.alloc(400_000)]), STAYS)).not.toBeInstanceOf(Promise);
  });

  test('that takes more memory than there is is the client’s fault, and does not take others with it', async () => {
    codec = new Codec('digits', '1', new URL('./fixtures/hungry-worker.ts', import.meta.url));
    const { headers, bytes } = body({ inputs });
    const all = [codec.parse(headers, Buffer.from(bytes), STAYS), codec.parse(headers, bytes, STAYS)];
    for (const parsing of all) await expect(parsing).rejects.toThrow(expect.objectContaining({ status: 413 }));
  });
});

describe('a large answer', () => {
  const many = new Uint8Array(Float32Array.from({ length: 10_001 }, (_, index) => index / 3).buffer);
  const outputs: Tensor[] = [
    { name: 'y', datatype: 'FP32', shape: [10_001], data: many },
    { name: 't', datatype: 'BYTES', shape: [2], data: packTexts(['A', '']) },
  ];

  test.each<[about: string, request: ParsedRequest]>([
    ['JSON', { id: 'a', inputs: [], binaryOutput: false }],
    ['partly binary', { inputs: [], binaryOutput: false, outputs: [{ name: 't', binary: true }] }],
  ])('that is %s is written as a small one is, and leaves the outputs as they are', async (_about, request) => {
    const writing = codec.encode(request, outputs, STAYS);
    expect(writing).toBeInstanceOf(Promise);
    expect(await writing).toEqual(responseEncoder('digits', 'digits-00001')(request, outputs));
    expect(many.length).toBe(40_004);
  });

  test('that is binary is written at once', () => {
    expect(codec.encode({ inputs: [], binaryOutput: true }, outputs, STAYS)).not.toBeInstanceOf(Promise);
  });

  test('that JSON cannot carry is refused', async () => {
    const broken = [
      ...outputs,
      { name: 'r', datatype: 'BYTES' as const, shape: [1], data: packBytesElements([Uint8Array.of(0xff)]) },
    ];
    await expect(codec.encode({ inputs: [], binaryOutput: false }, broken, STAYS)).rejects.toThrow(ProtocolError);
  });
});
