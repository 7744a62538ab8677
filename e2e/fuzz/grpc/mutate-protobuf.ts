/** A protobuf message with something in it replaced, removed, doubled, moved or cut, also inside of the messages in it, by what readers are known to trip over. */
import type { Random } from '../random.ts';

interface Field {
  readonly tag: number;
  /** With the length, where the wire type has one. */
  readonly value: Buffer;
}

const NUMBERS = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const TEXTS = [
  '',
  '\0',
  '__proto__',
  'constructor',
  'FP32',
  'INT64',
  'BYTES',
  'BF16',
  'BOOL',
  'priority',
  'timeout',
  'classification',
  'shared_memory_region',
  'x'.repeat(300),
  '\ud83d\ude00',
];
const BROKEN = [
  'ff',
  'c328',
  'eda080',
  'ffffffffffffffffffff01',
  'ffffffffffffffffff7f',
  '8080808080808080808000',
  '0b',
  '0c',
  '0f',
  '07',
  '00',
  '0a80808080ff',
  '0affffffff0f',
];

/** The message after so many changes. */
export function mutateProtobuf(message: Buffer, random: Random, changes: number): Buffer {
  let changed = message;
  for (let change = 0; change < changes; change += 1) changed = changeOnce(changed, random, 0);
  return changed;
}

function changeOnce(message: Buffer, random: Random, depth: number): Buffer {
  const fields = parse(message);
  if (fields === undefined || fields.length === 0) return changeBytes(message, random);
  const at = random.below(fields.length);
  const field = fields[at];
  if (field === undefined) return message;
  const { tag } = field;
  const put = (...others: Buffer[]): Buffer => join([...before(fields, at), ...others, ...after(fields, at)]);
  switch (random.below(depth > 3 ? 9 : 14)) {
    case 0:
      return put();
    case 1:
      return put(write(field), write(field));
    case 2:
      return join([...before(fields, at), ...after(fields, at), write(field)]);
    case 3:
      // The same value under another number or wire type.
      return put(
        write({ ...field, tag: random.chance(0.5) ? (tag & ~7) | random.below(8) : random.below(200) * 8 + (tag & 7) }),
      );
    case 4:
      return put(varint(BigInt((tag & ~7) | 0)), varint(random.pick(NUMBERS)));
    case 5:
      return put(delimited(tag | 2, Buffer.from(random.pick(TEXTS))));
    case 6:
      return put(Buffer.from(random.pick(BROKEN), 'hex'), write(field));
    case 7:
      return put(
        delimited(tag | 2, Buffer.concat(Array.from({ length: random.below(40) }, () => varint(random.pick(NUMBERS))))),
      );
    case 8: {
      // A message in itself, again and again.
      let nested = field.value;
      for (let level = random.below(30); level > 0; level -= 1) nested = delimited(tag | 2, nested);
      return put(nested);
    }
    case 9:
      return put(...Array.from({ length: random.below(300) }, () => write(field)));
    default: {
      if ((tag & 7) !== 2) return put(varint(BigInt(tag)), varint(random.pick(NUMBERS)));
      return put(delimited(tag, changeOnce(content(field.value), random, depth + 1)));
    }
  }
}

/** Some bytes overwritten, removed or put in; or the end cut off. */
export function changeBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const head = bytes.subarray(0, at);
  switch (random.below(4)) {
    case 0:
      return Buffer.concat([head, random.bytes(1), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([head, bytes.subarray(at + 1 + random.below(20))]);
    case 2:
      return Buffer.from(head);
    default:
      return Buffer.concat([head, random.bytes(1 + random.below(20)), bytes.subarray(at)]);
  }
}

/** Undefined for what is no message. */
function parse(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag, begin] = readVarint(bytes, at);
    const end = tag === undefined ? undefined : valueEnd(bytes, begin, Number(tag) & 7);
    if (tag === undefined || end === undefined || end > bytes.length) return undefined;
    fields.push({ tag: Number(tag), value: bytes.subarray(begin, end) });
    at = end;
  }
  return fields;
}

function valueEnd(bytes: Buffer, at: number, wireType: number): number | undefined {
  if (wireType === 0) return readVarint(bytes, at)[1];
  if (wireType === 1) return at + 8;
  if (wireType === 5) return at + 4;
  const [length, begin] = readVarint(bytes, at);
  return wireType === 2 && length !== undefined ? begin + Number(length) : undefined;
}

function readVarint(bytes: Buffer, begin: number): [bigint | undefined, number] {
  let value = 0n;
  for (let at = begin; at < bytes.length && at < begin + 10; at += 1) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - begin));
    if (byte < 0x80) return [value, at + 1];
  }
  return [undefined, bytes.length + 1];
}

export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

export function delimited(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(tag)), varint(BigInt(content.length)), content]);
}

/** Of a delimited value, without its length. */
function content(value: Buffer): Buffer {
  return value.subarray(readVarint(value, 0)[1]);
}

function write({ tag, value }: Field): Buffer {
  return Buffer.concat([varint(BigInt(tag)), value]);
}

function before(fields: readonly Field[], at: number): Buffer[] {
  return fields.slice(0, at).map(write);
}

function after(fields: readonly Field[], at: number): Buffer[] {
  return fields.slice(at + 1).map(write);
}

function join(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}
