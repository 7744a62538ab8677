/** Random tensors and the requests that carry them, for property tests. */
import fc from 'fast-check';
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { packBytesElements } from './bytes-elements.ts';
import { elementCount } from './element-count.ts';
import { INTEGER_RANGES, TYPED_ARRAYS } from './element-types.ts';

const datatypes = Object.keys(DATATYPE_BYTES) as Datatype[];
const shapes = fc.array(fc.nat(4), { maxLength: 4 });

/** JSON has no negative zero, and a NaN's other bits are nobody's. */
const float = (round: (value: number) => number): fc.Arbitrary<number> => fc.double().map((value) => round(value) + 0);

function element(datatype: Datatype): fc.Arbitrary<unknown> {
  switch (datatype) {
    case 'BYTES':
      return fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new Uint8Array(Buffer.from(text)));
    case 'BOOL':
      return fc.nat(1);
    case 'FP16':
      return float(Math.f16round);
    case 'FP32':
      return float(Math.fround);
    case 'FP64':
      return float((value) => value);
    case 'INT64':
    case 'UINT64': {
      const [min, max] = INTEGER_RANGES[datatype];
      return fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max));
    }
    default: {
      const [min, max] = INTEGER_RANGES[datatype];
      return fc.integer({ min, max });
    }
  }
}

function data(datatype: Datatype, elements: readonly unknown[]): Tensor['data'] {
  if (datatype === 'BYTES') return packBytesElements(elements as Uint8Array[]);
  const array = new (TYPED_ARRAYS[datatype] as Float64ArrayConstructor)(elements as number[]);
  return new Uint8Array(array.buffer);
}

const tensor: fc.Arbitrary<Tensor> = fc
  .record({ name: fc.string({ minLength: 1, maxLength: 8 }), datatype: fc.constantFrom(...datatypes), shape: shapes })
  .chain(({ name, datatype, shape }) => {
    const count = elementCount(shape);
    return fc
      .array(element(datatype), { minLength: count, maxLength: count })
      .map((elements) => ({ name, datatype, shape, data: data(datatype, elements) }));
  });

export const tensors: fc.Arbitrary<Tensor[]> = fc.uniqueArray(tensor, { maxLength: 3, selector: ({ name }) => name });
