/**
 * Which inputs of an ONNX file have a tensor type without a shape, so that it may have any: ONNX Runtime's metadata shows these as scalars. Field numbers
 * are those of onnx.proto3.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { FileReader } from '../delivery/file-reader.ts';
import { contents, type Content } from '../delivery/protobuf-fields.ts';

const MODEL_GRAPH = 7;
const GRAPH_INPUT = 11;
const VALUE = { name: 1, type: 2 };
const TYPE_TENSOR = 1;
const TENSOR_SHAPE = 2;
const MOST_NAME_BYTES = 4096;

/** Their names; none where the file cannot be read so. */
export function findUnknownRanks(path: string): Set<string> {
  const names = new Set<string>();
  const fd = openSync(path, 'r');
  try {
    const reader = new FileReader(fd, fstatSync(fd).size);
    for (const graph of contentsOf(reader, { start: 0, end: reader.size }, MODEL_GRAPH)) {
      for (const input of contentsOf(reader, graph, GRAPH_INPUT)) {
        const [name] = contentsOf(reader, input, VALUE.name);
        if (name === undefined || name.end - name.start > MOST_NAME_BYTES || !isWithoutShape(reader, input)) continue;
        names.add(reader.text(name.start, name.end - name.start));
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  } finally {
    closeSync(fd);
  }
  return names;
}

function isWithoutShape(reader: FileReader, input: Content): boolean {
  const tensors = contentsOf(reader, input, VALUE.type).flatMap((type) => contentsOf(reader, type, TYPE_TENSOR));
  return tensors.length > 0 && tensors.every((tensor) => contentsOf(reader, tensor, TENSOR_SHAPE).length === 0);
}

function contentsOf(reader: FileReader, message: Content, field: number): Content[] {
  return [...contents(reader, message)].filter((content) => content.field === field);
}
