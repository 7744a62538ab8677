/** The protocol's binary tensors, from and to JSON: written anew here, because a test that used the runtime's own code would share its mistakes. */
import type { JsonAnswer, JsonTensor } from '../../examples/compare-outputs.ts';

const HEADER_LENGTH = 'inference-header-content-length';

export interface BinaryRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}

/** The same request with every input in bytes, asking for every output in bytes. */
export function binaryRequest(json: string): BinaryRequest {
  const { inputs } = JSON.parse(json) as { readonly inputs: readonly JsonTensor[] };
  const blobs = inputs.map(bytesOf);
  const head = Buffer.from(
    JSON.stringify({
      inputs: inputs.map(({ name, datatype, shape }, at) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: blobs[at]?.length },
      })),
      parameters: { binary_data_output: true },
    }),
  );
  return {
    body: Buffer.concat([head, ...blobs]),
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: head.length },
  };
}

export function readBinaryAnswer(headers: Readonly<Record<string, unknown>>, body: Buffer): JsonAnswer {
  const length = Number(headers[HEADER_LENGTH]);
  const { outputs } = JSON.parse(body.subarray(0, length).toString()) as {
    readonly outputs: readonly (Omit<JsonTensor, 'data'> & { readonly parameters: { binary_data_size: number } })[];
  };
  let offset = length;
  return {
    outputs: outputs.map(({ name, datatype, shape, parameters }) => {
      const bytes = body.subarray(offset, (offset += parameters.binary_data_size));
      return { name, datatype, shape, data: elementsOf(datatype, bytes) };
    }),
  };
}

function bytesOf({ datatype, data }: JsonTensor): Buffer {
  const bytes = Buffer.alloc(data.length * widthOf(datatype));
  for (const [at, element] of data.entries()) {
    if (datatype === 'INT64') bytes.writeBigInt64LE(BigInt(Number(element)), 8 * at);
    else bytes.writeFloatLE(Number(element), 4 * at);
  }
  return bytes;
}

function elementsOf(datatype: string, bytes: Buffer): number[] {
  const width = widthOf(datatype);
  return Array.from({ length: bytes.length / width }, (_, at) =>
    datatype === 'INT64' ? Number(bytes.readBigInt64LE(width * at)) : bytes.readFloatLE(width * at),
  );
}

function widthOf(datatype: string): number {
  if (datatype === 'INT64') return 8;
  if (datatype === 'FP32') return 4;
  throw new Error(`No test needs ${datatype} in bytes yet.`);
}
