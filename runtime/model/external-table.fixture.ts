/** Makes an embedding whose table lies in a file beside the model, sparse, so that one of more than 2 GB costs a test nothing. */
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export const COLUMNS = 256;
const INT64 = 7;
const FLOAT = 1;

/** `model.onnx` takes INT64 "index" [batch] and gives FP32 "y" [batch, 256]: zeros, but for the last row, which ends with 3. */
export function writeExternalTable(directory: string, rows: number): string {
  const bytes = rows * COLUMNS * 4;
  const data = openSync(join(directory, 'table.bin'), 'w');
  ftruncateSync(data, bytes);
  writeSync(data, new Uint8Array(Float32Array.of(3).buffer), 0, 4, bytes - 4);
  closeSync(data);

  const entry = (key: string, value: string): Buffer => field(13, text(1, key), text(2, value));
  const table = field(
    5,
    ...[number(1, rows), number(1, COLUMNS), number(2, FLOAT), text(8, 'table')],
    ...[entry('location', 'table.bin'), entry('offset', '0'), entry('length', String(bytes)), number(14, 1)],
  );
  const gather = field(1, text(1, 'table'), text(1, 'index'), text(2, 'y'), text(4, 'Gather'));
  const graph = field(
    7,
    ...[gather, text(2, 'external'), table],
    ...[field(11, value('index', INT64, ['batch'])), field(12, value('y', FLOAT, ['batch', COLUMNS]))],
  );
  const path = join(directory, 'model.onnx');
  writeFileSync(path, Buffer.concat([number(1, 8), graph, field(8, number(2, 17))]));
  return path;
}

/** ValueInfoProto: a name, and the type of a tensor. */
function value(name: string, type: number, shape: readonly (number | string)[]): Buffer {
  const sizes = shape.map((size) => field(1, typeof size === 'number' ? number(1, size) : text(2, size)));
  return Buffer.concat([text(1, name), field(2, field(1, number(1, type), field(2, ...sizes)))]);
}

/** Protocol buffers: a message behind its field's number and its length. */
function field(id: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([varint(id * 8 + 2), varint(body.byteLength), body]);
}

function text(id: number, content: string): Buffer {
  return field(id, Buffer.from(content));
}

function number(id: number, content: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(content)]);
}

function varint(content: number): Buffer {
  const bytes: number[] = [];
  let left = content;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}
