/** Compares an inference answer with the one an example expects. Pure. */

export interface JsonTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

export interface JsonAnswer {
  readonly outputs: readonly JsonTensor[];
}

/**
 * Two builds of ONNX Runtime, or two processors, sum in different orders: 1e-4 is a hundred times what they differ by in float32, and far below what
 * changes a class.
 */
const TOLERANCE = 1e-4;

/** What differs, a sentence each; empty if every expected output is there and right. Further outputs are not looked at. */
export function compareOutputs(answer: JsonAnswer, expected: JsonAnswer): string[] {
  return expected.outputs.flatMap((want) => {
    const got = answer.outputs.find(({ name }) => name === want.name);
    if (got === undefined) return [`output ${want.name} is missing`];
    if (got.datatype !== want.datatype || String(got.shape) !== String(want.shape)) {
      return [
        `output ${want.name} is ${got.datatype} [${got.shape.join()}], expected ${want.datatype} [${want.shape.join()}]`,
      ];
    }
    const at = want.data.findIndex((value, index) => !same(value, got.data[index]));
    return at < 0 ? [] : [`output ${want.name} has ${got.data[at]} at ${at}, expected ${want.data[at]}`];
  });
}

function same(want: number | string | boolean, got: number | string | boolean | undefined): boolean {
  if (typeof want !== 'number' || typeof got !== 'number') return want === got;
  return Math.abs(want - got) <= TOLERANCE * Math.max(1, Math.abs(want));
}
