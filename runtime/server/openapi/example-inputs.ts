/**
 * Finds inputs that a model runs on, to be shown as an example. Shapes say where a dimension is free and not what a model can do with it, so that small
 * ones are tried: all 1; then 1 for the first free dimension of each input, which is mostly the batch, and something larger for the others; then
 * something larger for all. Elements are 0, which is an index even of the smallest table.
 */
import type { TensorFacts } from '../../../common/wire/announcement.ts';
import { DATATYPE_BYTES, InferenceError, type Datatype, type Model, type Tensor } from '../../inference.ts';
import { elementCount } from '../../protocol/element-count.ts';
import { packTexts } from '../../protocol/packed-texts.ts';

/** Sizes that sequences, single steps, images and audio need. */
const SIZES = [8, 64, 224, 512];
/** Elements of all inputs together; an image of 224² has 150528. Each is two characters of JSON. */
const MOST_ELEMENTS = 200_000;

/** Undefined if it runs on none of them, or has inputs too large to be shown. Rejects as Model.infer does for other reasons. */
export async function findExampleInputs(model: Pick<Model, 'facts' | 'infer'>): Promise<readonly Tensor[] | undefined> {
  for (const inputs of candidates(model.facts.inputs)) {
    try {
      await model.infer({ inputs });
      return inputs;
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
    }
  }
  return undefined;
}

function* candidates(facts: readonly TensorFacts[]): Generator<readonly Tensor[]> {
  const tried = new Set<string>();
  const sizes: [first: number, others: number][] = [
    [1, 1],
    ...SIZES.map((size): [number, number] => [1, size]),
    ...SIZES.map((size): [number, number] => [size, size]),
  ];
  for (const [first, others] of sizes) {
    const shapes = facts.map(({ shape: declared, isAnyShape }) => {
      const shape = isAnyShape === true ? [-1, -1] : declared;
      const batch = shape.findIndex((dimension) => dimension < 0);
      return shape.map((dimension, index) => (dimension >= 0 ? dimension : index === batch ? first : others));
    });
    const key = shapes.join(';');
    const elements = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
    if (elements > MOST_ELEMENTS || tried.has(key)) continue;
    tried.add(key);
    yield facts.map(({ name, datatype }, index) => {
      const shape = shapes[index] ?? [];
      return { name, datatype: datatype as Datatype, shape, data: zeros(datatype as Datatype, elementCount(shape)) };
    });
  }
}

function zeros(datatype: Datatype, count: number): Uint8Array {
  const bytes = DATATYPE_BYTES[datatype];
  return bytes === undefined ? packTexts(Array<string>(count).fill('0')) : new Uint8Array(count * bytes);
}
