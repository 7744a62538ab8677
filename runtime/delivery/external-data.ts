/**
 * Which files beside it an ONNX model keeps weights in. It walks the protobuf and passes over everything else, so that a model of 2 GB costs a few reads.
 * Field numbers are those of onnx.proto3 (github.com/onnx/onnx).
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { StartError } from '../inference.ts';
import { FileReader } from './file-reader.ts';
import { readTag, readVarint } from './protobuf-fields.ts';

type MessageName = 'Model' | 'Graph' | 'Function' | 'Node' | 'Attribute' | 'Sparse' | 'Tensor' | 'Entry';

/** Fields that a tensor can be below, and the message each holds. */
const FIELDS: Readonly<Record<MessageName, Readonly<Record<number, MessageName>>>> = {
  Model: { 7: 'Graph', 25: 'Function' },
  Graph: { 1: 'Node', 5: 'Tensor', 15: 'Sparse' },
  Function: { 7: 'Node', 11: 'Attribute' },
  Node: { 5: 'Attribute' },
  Attribute: { 5: 'Tensor', 6: 'Graph', 10: 'Tensor', 11: 'Graph', 22: 'Sparse', 23: 'Sparse' },
  Sparse: { 1: 'Tensor', 2: 'Tensor' },
  Tensor: { 13: 'Entry' },
  Entry: {},
};

const KEY_FIELD = 1;
const VALUE_FIELD = 2;
const MOST_NAME_BYTES = 4096;
/** Of graphs in graphs; ONNX Runtime itself stops at 100 messages within one another. */
const MOST_DEPTH = 100;
const MOST_FILES = 10_000;
/** A graph of a million nodes has 30 million; so many take four seconds, in which the process answers nobody. */
const MOST_FIELDS = 100_000_000;

interface Found {
  readonly names: Set<string>;
  fields: number;
}

/**
 * As the model has them, each once, in order; none if the file is no protobuf, which is ONNX Runtime's to say. Throws StartError ModelInvalid where they
 * cannot all be told: what is not found is not verified.
 */
export function findExternalData(path: string, mostFields = MOST_FIELDS): string[] {
  const fd = openSync(path, 'r');
  try {
    const reader = new FileReader(fd, fstatSync(fd).size);
    const found: Found = { names: new Set(), fields: mostFields };
    try {
      walk(reader, 'Model', 0, reader.size, MOST_DEPTH, found);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    return [...found.names];
  } finally {
    closeSync(fd);
  }
}

function walk(reader: FileReader, message: MessageName, start: number, end: number, depth: number, found: Found): void {
  if (depth === 0) throw new RangeError('too deep');
  let key = '';
  let value = '';
  for (let position = start; position < end;) {
    if (--found.fields < 0) throw tooMany();
    const tag = readTag(reader, position);
    position = tag.end;
    const { field } = tag;
    switch (tag.type) {
      case 0:
        position = readVarint(reader, position).end;
        break;
      case 1:
        position += 8;
        break;
      case 5:
        position += 4;
        break;
      case 3:
        position = skipGroup(reader, position, end, field, depth - 1, found);
        break;
      case 2: {
        const length = readVarint(reader, position);
        position = length.end;
        const next = position + length.value;
        if (next > end) throw new RangeError('a field that ends behind its message');
        const below = FIELDS[message][field];
        if (below !== undefined) walk(reader, below, position, next, depth - 1, found);
        else if (message === 'Entry' && (field === KEY_FIELD || field === VALUE_FIELD)) {
          if (length.value > MOST_NAME_BYTES) throw new RangeError('a name that is too long');
          const text = reader.text(position, length.value);
          if (field === KEY_FIELD) key = text;
          else value = text;
        }
        position = next;
        break;
      }
      default:
        throw new RangeError('not a protobuf');
    }
  }
  if (message !== 'Entry' || key !== 'location') return;
  found.names.add(value);
  if (found.names.size > MOST_FILES) {
    throw new StartError('ModelInvalid', `The model keeps weights in more than ${MOST_FILES} files.`);
  }
}

/** ONNX has no groups, but ONNX Runtime passes over those of fields that it does not know: what follows counts. */
function skipGroup(reader: FileReader, start: number, end: number, group: number, depth: number, found: Found): number {
  if (depth === 0) throw new RangeError('too deep');
  for (let position = start; position < end;) {
    if (--found.fields < 0) throw tooMany();
    const { field, type, end: content } = readTag(reader, position);
    if (type === 4 && field === group) return content;
    if (type === 0) position = readVarint(reader, content).end;
    else if (type === 1) position = content + 8;
    else if (type === 5) position = content + 4;
    else if (type === 3) position = skipGroup(reader, content, end, field, depth - 1, found);
    else if (type === 2) {
      const length = readVarint(reader, content);
      position = length.end + length.value;
    } else throw new RangeError('not a protobuf');
  }
  throw new RangeError('a group without end');
}

function tooMany(): StartError {
  return new StartError('ModelInvalid', 'The model has too many parts to look through them all.');
}
