/** The fields of a schema as one list, each with what its conventions depend on. */
import type { Schema } from '../../common/api/admission/definition.ts';

/** Whose field it is: `function` fields are live and have defaults, `revision` fields are copied as they are. */
export type Part = 'object' | 'function' | 'revision' | 'status';

export interface Field {
  /** `spec.traffic[].percent`; of a map's values `spec.resources.limits[*]`. */
  readonly path: string;
  /** Of the property; undefined for items of lists and values of maps. */
  readonly name: string | undefined;
  readonly schema: Schema;
  readonly required: boolean;
  readonly part: Part;
}

const REVISION_FIELDS = ['model', 'runtime', 'batching', 'resources', 'pod'];

/** Every field but metadata, which belongs to Kubernetes; the object itself first. */
export function fieldsOf(root: Schema): Field[] {
  const properties = Object.fromEntries(Object.entries(root.properties ?? {}).filter(([name]) => name !== 'metadata'));
  return below({ path: '', name: undefined, schema: { ...root, properties }, required: true, part: 'object' });
}

function below(field: Field): Field[] {
  const { path, schema, part } = field;
  const children: Field[] = Object.entries(schema.properties ?? {}).map(([name, child]) => ({
    path: path === '' ? name : `${path}.${name}`,
    name,
    schema: child,
    required: schema.required?.includes(name) ?? false,
    part: partOf(path, name, part),
  }));
  const inside = (suffix: string, child: Schema | undefined): Field[] =>
    child === undefined ? [] : [{ path: path + suffix, name: undefined, schema: child, required: true, part }];
  children.push(...inside('[]', schema.items), ...inside('[*]', schema.additionalProperties));
  return [field, ...children.flatMap(below)];
}

function partOf(parent: string, name: string, part: Part): Part {
  if (parent === '' && name === 'status') return 'status';
  if (parent !== 'spec') return part;
  if (REVISION_FIELDS.includes(name) || ['template', 'resolved', 'functionName'].includes(name)) return 'revision';
  return 'function';
}
