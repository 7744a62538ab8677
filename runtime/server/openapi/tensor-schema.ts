/** JSON Schemas (2020-12, as OpenAPI 3.1 has them) of a model's own tensors: names, datatypes and fixed dimensions are constants. Pure. */
import type { TensorFacts } from '../../../common/wire/announcement.ts';
import type { Datatype } from '../../inference.ts';
import { MAX_RANK } from '../../protocol/element-count.ts';
import { INTEGER_RANGES } from '../../protocol/element-types.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** Exactly one of `data` and `parameters.binary_data_size` is there, in both directions. */
export function tensorSchema({ name, datatype, shape, isAnyShape = false }: TensorFacts): Schema {
  const element = elementSchema(datatype as Datatype);
  return {
    title: name,
    type: 'object',
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: { const: name },
      datatype: { const: datatype },
      shape: isAnyShape
        ? { type: 'array', description: 'Any shape.', items: dimensionSchema(-1), maxItems: MAX_RANK }
        : {
            type: 'array',
            description: shapeText(shape),
            ...(shape.length > 0 && { prefixItems: shape.map(dimensionSchema) }),
            minItems: shape.length,
            maxItems: shape.length,
          },
      data: {
        type: 'array',
        description: 'Row-major elements, flat or nested as the shape says.',
        items: shape.length > 1 || isAnyShape ? { anyOf: [element, { type: 'array' }] } : element,
      },
      parameters: {
        type: 'object',
        properties: {
          binary_data_size: { type: 'integer', minimum: 0, description: 'Bytes of the tensor behind the JSON.' },
        },
      },
    },
    oneOf: [
      { required: ['data'] },
      { required: ['parameters'], properties: { parameters: { required: ['binary_data_size'] } } },
    ],
  };
}

/** `[any, 64]` */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.map((dimension) => (dimension < 0 ? 'any' : dimension)).join(', ')}]`;
}

function dimensionSchema(dimension: number): Schema {
  return dimension < 0 ? { type: 'integer', minimum: 0 } : { const: dimension };
}

function elementSchema(datatype: Datatype): Schema {
  switch (datatype) {
    case 'BOOL':
      return { type: 'boolean' };
    case 'BYTES':
      return { type: 'string' };
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
    // Most JSON parsers read numbers as doubles, in which the bounds of 64 bits are not exact.
    case 'INT64':
      return { type: 'integer', format: 'int64' };
    case 'UINT64':
      return { type: 'integer', format: 'uint64', minimum: 0 };
    default: {
      const [minimum, maximum] = INTEGER_RANGES[datatype];
      return { type: 'integer', minimum, maximum };
    }
  }
}
