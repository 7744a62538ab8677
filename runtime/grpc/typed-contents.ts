/**
 * A tensor's elements as protobuf numbers (`contents`), and as the bytes that the rest of the runtime has them in. Floats are the same bytes in both;
 * integers are varints there, and those narrower than 32 bits travel in fields of 32.
 */
import { ProtobufReader } from './protobuf/protobuf-reader.ts';
import { ProtobufWriter } from './protobuf/protobuf-writer.ts';
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { packBytesElements, unpackBytesElements } from '../protocol/bytes-elements.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { parseBinary } from '../protocol/parse-request.ts';
import type { InferTensorContents } from './messages.ts';

type NumberField = Exclude<keyof InferTensorContents, 'bytes_contents'>;

/** Where the protocol puts the elements of each datatype; FP16 has no such place. */
const FIELDS: Readonly<Record<Exclude<Datatype, 'FP16' | 'BYTES'>, NumberField>> = {
  BOOL: 'bool_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
};

const VARINT_FIELDS = ['bool_contents', 'int_contents', 'int64_contents', 'uint_contents', 'uint64_contents'] as const;

const HIGH = 2 ** 32;

/** Throws ProtocolError if these are not exactly `count` elements of the datatype; `what` begins its sentence. */
export function decodeTypedContents(
  what: string,
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  contents: Partial<InferTensorContents> | undefined,
): Uint8Array {
  if (datatype === 'FP16') {
    throw new ProtocolError(`${what}: FP16 has no typed contents; send it in raw_input_contents.`);
  }
  if (datatype === 'BYTES') {
    const elements = contents?.bytes_contents ?? [];
    if (elements.length === count) return packBytesElements(elements);
    throw new ProtocolError(`${what}: its shape has ${count} elements, but bytes_contents has ${elements.length}.`);
  }
  const field = FIELDS[datatype];
  const bytes = contents?.[field]?.bytes ?? Buffer.alloc(0);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'FP32' || datatype === 'FP64') return parseBinary(what, datatype, shape, count, view);
  return decodeVarints(`${what}: ${field}`, datatype, count, view);
}

/** Bytes of the elements that are integers. */
export function varintBytes(contents: Partial<InferTensorContents> | undefined): number {
  if (contents === undefined) return 0;
  return VARINT_FIELDS.reduce((sum, field) => sum + (contents[field]?.bytes.length ?? 0), 0);
}

/** The elements as the protocol's field for them; undefined for what has none. */
export function encodeTypedContents({ datatype, data }: Tensor): Partial<InferTensorContents> | undefined {
  if (datatype === 'FP16') return undefined;
  if (datatype === 'BYTES') return { bytes_contents: unpackBytesElements(data) };
  const field = FIELDS[datatype];
  if (datatype === 'FP32' || datatype === 'FP64') return { [field]: { bytes: data } };
  return { [field]: { bytes: encodeVarints(datatype, data) } };
}

function decodeVarints(what: string, datatype: Exclude<Datatype, 'BYTES'>, count: number, bytes: Buffer): Uint8Array {
  // Each ends with the one byte of it that is below 128.
  let given = 0;
  for (const byte of bytes) if (byte < 0x80) given += 1;
  if (given !== count) throw new ProtocolError(`${what} has ${given} elements, but the shape has ${count}.`);
  const size = DATATYPE_BYTES[datatype];
  const reader = new ProtobufReader(bytes);
  const elements = Buffer.allocUnsafe(count * size);
  for (let at = 0; at < elements.length; at += size) {
    reader.varint();
    if (size === 8) {
      elements.writeUInt32LE(reader.low, at);
      elements.writeUInt32LE(reader.high, at + 4);
    } else if (datatype === 'BOOL') {
      elements[at] = reader.low !== 0 || reader.high !== 0 ? 1 : 0;
    } else {
      writeInteger(what, datatype, elements, at, size, reader);
    }
  }
  return elements;
}

/** An integer of up to 32 bits, within the range of its datatype. */
function writeInteger(
  what: string,
  datatype: Datatype,
  elements: Buffer,
  at: number,
  size: number,
  { low, high }: ProtobufReader,
): void {
  const isSigned = datatype.startsWith('INT');
  const value = isSigned ? low | 0 : low;
  // A negative number is sent with all 64 bits of its sign.
  const isWhole = high === 0 ? !isSigned || value >= 0 || size === 4 : isSigned && high === HIGH - 1 && value < 0;
  const bound = 2 ** (8 * size);
  const fits = isSigned ? value >= -bound / 2 && value < bound / 2 : value < bound;
  if (!isWhole || !fits) throw new ProtocolError(`${what}: element ${at / size} is out of the range of ${datatype}.`);
  if (isSigned) elements.writeIntLE(value, at, size);
  else elements.writeUIntLE(value, at, size);
}

function encodeVarints(datatype: Exclude<Datatype, 'BYTES'>, bytes: Uint8Array): Uint8Array {
  const size = DATATYPE_BYTES[datatype];
  const elements = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const writer = new ProtobufWriter(0, bytes.length);
  for (let at = 0; at < elements.length; at += size) {
    if (size === 8) writer.halves(elements.readUInt32LE(at), elements.readUInt32LE(at + 4));
    else if (datatype.startsWith('INT')) writer.integer(elements.readIntLE(at, size));
    else writer.integer(elements.readUIntLE(at, size));
  }
  return writer.written;
}
