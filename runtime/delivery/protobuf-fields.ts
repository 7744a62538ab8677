/** Fields of a protobuf in a file. RangeError for what is none. */
import type { FileReader } from './file-reader.ts';

/** Where the content of each field of a message is that has a length (a message, a text), in order; others are passed over. */
export function* contents(
  reader: FileReader,
  { start, end }: Content,
): Generator<Content & { readonly field: number }, undefined> {
  for (let position = start; position < end;) {
    const { field, type, end: at } = readTag(reader, position);
    if (type === 0) position = readVarint(reader, at).end;
    else if (type === 1) position = at + 8;
    else if (type === 5) position = at + 4;
    else if (type === 2) {
      const length = readVarint(reader, at);
      position = length.end + length.value;
      if (position > end) throw new RangeError('a field that ends behind its message');
      yield { field, start: length.end, end: position };
    } else throw new RangeError('not a protobuf');
  }
}

export interface Content {
  readonly start: number;
  readonly end: number;
}

export interface Tag {
  readonly field: number;
  readonly type: number;
  readonly end: number;
}

/** Of what is above 32 bits ONNX Runtime takes no notice. */
export function readTag(reader: FileReader, start: number): Tag {
  const { value, end } = readVarint(reader, start);
  const tag = value % 2 ** 32;
  // Zeros above all, which are quickly passed over that way.
  if (tag < 8) throw new RangeError('not a protobuf');
  return { field: Math.floor(tag / 8), type: tag % 8, end };
}

export function readVarint(reader: FileReader, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let position = start; position < start + 10; position += 1) {
    const byte = reader.byte(position);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: position + 1 };
    scale *= 128;
  }
  throw new RangeError('a number without end');
}
