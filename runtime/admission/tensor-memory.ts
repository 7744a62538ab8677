/**
 * The memory that the tensors of one request take beyond its body, as the gate counts it. Of numbers a session takes views. Of each BYTES element it makes
 * a string of V8 and one of ONNX Runtime, on the way in and out again: 1 million of 0, 4 and 60 bytes took 126, 230 and 694 bytes each (binary, Node 24).
 */
import type { Tensor } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { BODY_MEMORY, type Gate } from './gate.ts';
import { Refused } from './refused.ts';

/** Bytes that an element of BYTES takes, and each of its packed bytes beyond those that its body is counted for. */
const ELEMENT_MEMORY = 100;
const BYTE_MEMORY = 7;

export class TensorMemory {
  readonly #gate: Pick<Gate, 'memoryLimit' | 'takeMemory' | 'giveMemory'>;
  #taken = 0;

  constructor(gate: Pick<Gate, 'memoryLimit' | 'takeMemory' | 'giveMemory'>) {
    this.#gate = gate;
  }

  /** Throws ProtocolError 413 where the pod will never have room for them, and Refused where it has none now. */
  takeInputs(inputs: readonly Tensor[]): void {
    for (const { name, datatype, shape, data } of inputs) {
      if (datatype !== 'BYTES') continue;
      const count = elementCount(shape);
      const bytes = ELEMENT_MEMORY * count + BYTE_MEMORY * data.byteLength;
      if (this.#take(bytes)) continue;
      const sentence = `Input "${name}" has ${count} elements of BYTES, which take ${mebibytes(bytes)} MiB of memory; all requests of this replica may take ${mebibytes(this.#gate.memoryLimit)} MiB together.`;
      if (bytes > this.#gate.memoryLimit) throw new ProtocolError(`${sentence} Send fewer at once.`, 413);
      throw new Refused('LimitReached', sentence);
    }
  }

  /** After the run, which leaves nothing of the inputs but their body. Throws ProtocolError where there is no room until the client has its answer. */
  takeOutputs(outputs: readonly Tensor[]): void {
    this.giveBack();
    const bytes = BODY_MEMORY * outputs.reduce((sum, { data }) => sum + data.byteLength, 0);
    if (this.#take(bytes)) return;
    const sentence = `The outputs take ${mebibytes(bytes)} MiB of memory; all requests of this replica may take ${mebibytes(this.#gate.memoryLimit)} MiB together.`;
    if (bytes > this.#gate.memoryLimit) {
      throw new ProtocolError(`${sentence} Send fewer rows at once, or ask for fewer outputs.`, 413);
    }
    throw new ProtocolError(sentence, 503, ['retry-after', '1']);
  }

  /** Nothing is left of the tensors. */
  giveBack(): void {
    this.#gate.giveMemory(this.#taken);
    this.#taken = 0;
  }

  #take(bytes: number): boolean {
    const isTaken = this.#gate.takeMemory(bytes);
    if (isTaken) this.#taken += bytes;
    return isTaken;
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
