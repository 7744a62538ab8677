/** Models and good requests for them, from which the bad ones are made. Together they take each datatype's way through the runtime. */
import { join } from 'node:path';
import type { ServedModel } from '../server/start-runtime.ts';

export interface SeedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
}

export interface Seed extends ServedModel {
  readonly inputs: readonly SeedTensor[];
  readonly output: string;
}

const ROOT = join(import.meta.dirname, '..', '..');
const fixture = (name: string): string => join(ROOT, 'runtime', 'model', 'fixtures', `${name}.onnx`);

export const SEEDS: readonly Seed[] = [
  {
    name: 'digits',
    path: join(ROOT, 'examples', 'digits', 'model.onnx'),
    inputs: [
      { name: 'pixels', datatype: 'FP32', shape: [1, 64], data: Array.from({ length: 64 }, (_, at) => at / 64) },
    ],
    output: 'probabilities',
  },
  {
    name: 'strings',
    path: fixture('strings'),
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [2, 2], data: ['one', 'größer', '', '\u{1f600}'] }],
    output: 'same',
  },
  {
    name: 'scalars',
    path: fixture('scalars'),
    inputs: [
      { name: 'a', datatype: 'INT64', shape: [], data: [-7] },
      { name: 'b', datatype: 'UINT64', shape: [], data: [7] },
    ],
    output: 'doubled',
  },
  {
    name: 'not',
    path: fixture('not'),
    inputs: [{ name: 'flag', datatype: 'BOOL', shape: [3], data: [true, false, true] }],
    output: 'opposite',
  },
  {
    name: 'half',
    path: fixture('half'),
    inputs: [{ name: 'x', datatype: 'FP16', shape: [2, 2], data: [1, 2, 3, 4] }],
    output: 'y',
  },
];

/** Little-endian elements, as the binary tensor extension has them. */
export function tensorBytes({ datatype, data }: SeedTensor): Buffer {
  switch (datatype) {
    case 'FP32':
      return Buffer.from(Float32Array.from(data.map(Number)).buffer);
    case 'FP16':
      return Buffer.from(Float16Array.from(data.map(Number)).buffer);
    case 'BOOL':
      return Buffer.from(data.map(Number));
    case 'INT64':
    case 'UINT64':
      return Buffer.from(BigInt64Array.from(data.map(BigInt)).buffer);
    case 'BYTES':
      return Buffer.concat(
        data.flatMap((text) => {
          const element = Buffer.from(String(text));
          const length = Buffer.alloc(4);
          length.writeUInt32LE(element.length);
          return [length, element];
        }),
      );
    default:
      throw new Error(`No seed has ${datatype} yet.`);
  }
}
