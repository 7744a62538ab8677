/**
 * Writes ONNX models of dense layers, convolutions and the like, large ones included: weights go to the file as they are made. Protocol buffers need no
 * library for that: a message is its fields one after the other, each with its number, and nested ones behind their length (see onnx.proto).
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Field numbers of onnx.proto. */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, integer: 3, integers: 8, type: 20 };
const TENSOR = { dims: 1, dataType: 2, name: 8, raw: 9 };
const FLOAT = 1;
const ATTRIBUTE_TYPES = { integer: 2, integers: 7 };
const OPSET = 17;
const IR_VERSION = 8;

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxGraph {
  /** Free dimensions by name. */
  readonly input: { readonly name: string; readonly shape: readonly (number | string)[] };
  readonly output: { readonly name: string; readonly shape: readonly (number | string)[] };
  readonly nodes: readonly OnnxNode[];
  /** Shapes of FP32 weights, which get values of a size that keeps sums of a layer near one. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** All tensors are FP32. */
export function writeOnnxFile(path: string, graph: OnnxGraph): void {
  const weights = Object.entries(graph.weights).map(([name, shape]) => new Weight(name, shape));
  const around = Buffer.concat([
    text(GRAPH.name, 'bench'),
    ...graph.nodes.map((node) => message(GRAPH.node, encodeNode(node))),
    message(GRAPH.input, encodeValue(graph.input)),
    message(GRAPH.output, encodeValue(graph.output)),
  ]);
  const length = weights.reduce((sum, weight) => sum + weight.length, around.length);
  const file = openSync(path, 'w');
  try {
    const opset = message(MODEL.opset, number(2, OPSET));
    writeSync(
      file,
      Buffer.concat([
        number(MODEL.irVersion, IR_VERSION),
        text(MODEL.producer, 'pilotlight'),
        opset,
        prefix(MODEL.graph, length),
        around,
      ]),
    );
    for (const weight of weights) weight.write(file);
  } finally {
    closeSync(file);
  }
}

class Weight {
  readonly #head: Buffer;
  readonly #count: number;
  readonly #scale: number;

  constructor(name: string, shape: readonly number[]) {
    this.#count = shape.reduce((product, size) => product * size, 1);
    // Summands of one output: all but the axis of the outputs, which is the last of a matrix and the first of a convolution's kernel.
    const summands = shape.length === 2 ? (shape[0] ?? 1) : this.#count / (shape[0] ?? 1);
    this.#scale = Math.sqrt(3 / summands);
    const bytes = 4 * this.#count;
    const fields = Buffer.concat([
      ...shape.map((size) => number(TENSOR.dims, size)),
      number(TENSOR.dataType, FLOAT),
      text(TENSOR.name, name),
      prefix(TENSOR.raw, bytes),
    ]);
    this.#head = Buffer.concat([prefix(GRAPH.initializer, fields.length + bytes), fields]);
  }

  get length(): number {
    return this.#head.length + 4 * this.#count;
  }

  write(file: number): void {
    writeSync(file, this.#head);
    const values = new Float32Array(Math.min(this.#count, 1 << 18));
    let state = 1;
    for (let left = this.#count; left > 0; left -= values.length) {
      const part = values.subarray(0, left);
      for (let index = 0; index < part.length; index++) {
        // Numerical Recipes' linear congruence: the values need only be the same each time, and of both signs.
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        part[index] = (state / 2 ** 31 - 1) * this.#scale;
      }
      writeSync(file, new Uint8Array(part.buffer, 0, part.byteLength));
    }
  }
}

function encodeNode({ operator, inputs, output, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => text(NODE.input, input)),
    text(NODE.output, output),
    text(NODE.opType, operator),
    ...Object.entries(attributes).map(([name, value]) => message(NODE.attribute, encodeAttribute(name, value))),
  ]);
}

function encodeAttribute(name: string, value: number | readonly number[]): Buffer {
  const fields =
    typeof value === 'number'
      ? [number(ATTRIBUTE.integer, value), number(ATTRIBUTE.type, ATTRIBUTE_TYPES.integer)]
      : [...value.map((item) => number(ATTRIBUTE.integers, item)), number(ATTRIBUTE.type, ATTRIBUTE_TYPES.integers)];
  return Buffer.concat([text(ATTRIBUTE.name, name), ...fields]);
}

/** ValueInfoProto: a name, and a type that is a tensor of an element type and a shape, whose dimensions are a number or a name. */
function encodeValue({ name, shape }: OnnxGraph['input']): Buffer {
  const dimensions = shape.map((size) => message(1, typeof size === 'number' ? number(1, size) : text(2, size)));
  const tensor = Buffer.concat([number(1, FLOAT), message(2, Buffer.concat(dimensions))]);
  return Buffer.concat([text(1, name), message(2, message(1, tensor))]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function message(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([prefix(field, bytes.length), bytes]);
}

function prefix(field: number, length: number): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(length)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 128);
  }
}
